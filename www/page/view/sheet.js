// Places a popover beside its button. On phones the style sheet makes it a bottom sheet instead.

const MARGIN = 8;

/**
 * Keeps `sheet` (a popover) beside `anchor` while it is open.
 * @param {HTMLElement} sheet
 * @param {HTMLElement} anchor
 * @param {{ minWidth?: number, align?: 'start' | 'end' }} [options]
 */
export function anchored(sheet, anchor, { minWidth = 0, align = 'start' } = {}) {
  function place() {
    const box = anchor.getBoundingClientRect();
    const width = Math.min(Math.max(box.width, minWidth), innerWidth - 2 * MARGIN);
    const below = innerHeight - box.bottom - 2 * MARGIN;
    const above = box.top - 2 * MARGIN;
    const up = below < 260 && above > below;
    const height = Math.min(up ? above : below, 480);
    const wanted = align === 'end' ? box.right - width : box.left;
    const left = Math.max(MARGIN, Math.min(wanted, innerWidth - width - MARGIN));
    sheet.style.setProperty('--width', `${width}px`);
    sheet.style.setProperty('--height', `${height}px`);
    sheet.style.setProperty('--left', `${left}px`);
    const top = up ? box.top - MARGIN - Math.min(sheet.offsetHeight || height, height) : box.bottom + MARGIN;
    sheet.style.setProperty('--top', `${top}px`);
  }
  const follow = (/** @type {Event} */ event) => {
    if (event.target instanceof Node && sheet.contains(event.target)) return;
    place();
  };
  sheet.addEventListener('toggle', ({ newState }) => {
    const change = newState === 'open' ? addEventListener : removeEventListener;
    change('resize', follow);
    change('scroll', follow, true);
    if (newState === 'open') place();
  });
  sheet.addEventListener('beforetoggle', ({ newState }) => newState === 'open' && place());
  return place;
}
