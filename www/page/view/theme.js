// The theme toggle: follows the system until someone chooses.

import { $ } from '../dom.js';

const system = matchMedia('(prefers-color-scheme: dark)');

export function setUpTheme() {
  const button = $('#theme-button');
  const root = document.documentElement;
  const current = () => root.dataset.theme ?? (system.matches ? 'dark' : 'light');

  function draw() {
    const next = current() === 'dark' ? 'light' : 'dark';
    button.querySelector('use')?.setAttribute('href', next === 'dark' ? '#i-moon' : '#i-sun');
    button.setAttribute('aria-label', `Use the ${next} theme`);
    button.title = `Use the ${next} theme`;
  }

  button.addEventListener('click', () => {
    const next = current() === 'dark' ? 'light' : 'dark';
    const followsSystem = next === (system.matches ? 'dark' : 'light');
    if (followsSystem) delete root.dataset.theme;
    else root.dataset.theme = next;
    remember(followsSystem ? null : next);
    draw();
  });
  system.addEventListener('change', draw);
  draw();
}

/** @param {'light' | 'dark' | null} theme */
function remember(theme) {
  try {
    if (theme) localStorage.setItem('pellucid-theme', theme);
    else localStorage.removeItem('pellucid-theme');
  } catch {
    // Storage may be forbidden; the choice then lasts as long as the page.
  }
}
