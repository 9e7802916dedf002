// Before the first paint: the theme that was chosen last time. A classic script, so that it blocks painting.
(() => {
  try {
    const theme = localStorage.getItem('pellucid-theme');
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  } catch {
    // Storage may be forbidden; the system's theme is used then.
  }
})();
