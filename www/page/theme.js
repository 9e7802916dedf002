// Before the first paint: the theme that was chosen last time. A classic script, so that it blocks painting, and runs where the
// page's own is not let through.
(() => {
  try {
    const theme = localStorage.getItem('pellucid-theme');
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  } catch {
    // Storage may be forbidden; the system's theme is used then.
  }
  const tell = () => {
    const note = document.createElement('p');
    note.className = 'notice error';
    note.role = 'alert';
    note.textContent =
      'The script of this page could not be loaded. Reload the page; a sandboxed frame needs allow-same-origin, or a host that sends Access-Control-Allow-Origin.';
    document.getElementById('notices')?.append(note);
  };
  const lost = (/** @type {Event} */ { target }) => target instanceof HTMLScriptElement && addEventListener('load', tell);
  addEventListener('error', lost, true);
})();
