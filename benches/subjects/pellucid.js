// Pellucid, through the same engine that the page's worker holds.

import { png } from '../picture.js';

export async function open({ backend, model, side, request }) {
  const pellucid = await import('/www/pkg/pellucid.js');
  await pellucid.default();
  const bytes = new Uint8Array(await (await fetch(model)).arrayBuffer());
  const engine = await pellucid.Engine.open(bytes, 'bench', JSON.stringify({ backend }));
  engine.load_image(await png(side));
  const classify = async () => {
    const logits = [];
    for (const { index, logit } of JSON.parse(await engine.classify())) logits[index] = logit;
    return logits;
  };
  const explain = async () => {
    const { id } = JSON.parse(await engine.explain(JSON.stringify(request), () => true));
    return Array.from(engine.values(id, 0).data);
  };
  return { run: request ? explain : classify };
}
