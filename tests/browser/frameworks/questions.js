// What the applications ask: each button puts one of these into the framework's state, as new objects each time.

export const questions = {
  Regions: () => ({ method: 'grad-cam', parameters: {} }),
  Hiding: () => ({ method: 'occlusion', parameters: { window: 64, stride: 64 } }),
  Slow: () => ({ method: 'rise', parameters: { samples: 8000 } }),
};
