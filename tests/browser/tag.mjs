// Pages of somebody else's with the tag, and the events that it tells.

export const MODULE = '<script type="module" src="www/tag/pellucid-explainer.js"></script>';
export const CLASSIC = '<script src="www/tag/pellucid-explainer.classic.js"></script>';
/** Counts the tag's events before any script of it runs. */
const LISTEN = `<script>
  window.events = [];
  for (const what of ['ready', 'progress', 'result', 'error']) {
    document.addEventListener('pellucid-' + what, ({ target, detail }) => {
      window.events.push({ what, id: target.id, detail: what === 'error' ? { code: detail.code, message: detail.message } : what === 'result' ? { label: detail.explanation.target?.label, method: detail.explanation.method, targets: detail.explanations.length } : {} });
    });
  }
</script>`;
export const html = (body, script = MODULE) => `<!doctype html><html lang="en"><meta charset="utf-8"><title>A host</title><body>${LISTEN}${body}${script}`;
export const tag = (attributes, content = '') => `<pellucid-explainer src="www/samples/cat.jpg" backend="cpu" ${attributes}>${content}</pellucid-explainer>`;

export const events = (page, what) => page.evaluate((what) => window.events.filter((event) => !what || event.what === what), what);
export const results = async (page, count, timeout = 30_000) => {
  await page.waitForFunction((count) => window.events.filter(({ what }) => what === 'result').length >= count, count, { timeout });
  return events(page, 'result');
};
export const errorOf = async (page) => {
  await page.waitForFunction(() => window.events.some(({ what }) => what === 'error'), null, { timeout: 20_000 });
  return (await events(page, 'error'))[0].detail;
};
