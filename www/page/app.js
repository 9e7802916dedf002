// The page: one state, the explainer, flows that change the state, views that draw it. Flows know no view: they are given
// the notices by which they speak to the reader.

import { createEngine, workersFrom } from './engine.js';
import { infoOf } from './flow/backend.js';
import { createCompareFlow } from './flow/compare.js';
import { createDrawFlow } from './flow/draw.js';
import { createExplainFlow } from './flow/explain.js';
import { createModelFlow } from './flow/model.js';
import { createOfflineFlow } from './flow/offline.js';
import { createPictureFlow } from './flow/picture.js';
import { createRememberFlow } from './flow/remember.js';
import { createRestartFlow } from './flow/restart.js';
import { createTrialFlow } from './flow/trial.js';
import { createWhatIfFlow } from './flow/what-if.js';
import { createSaveFlow } from './flow/save.js';
import { isSingle, ownParts } from './parts.js';
import { initialState } from './state/state.js';
import { createStore } from './state/store.js';
import { setUpAnswers } from './view/answers.js';
import { setUpCompare } from './view/compare.js';
import { setUpDisplay } from './view/display.js';
import { setUpEvents } from './view/events.js';
import { setUpHeader } from './view/header.js';
import { setUpIntake } from './view/intake.js';
import { setUpLegend } from './view/legend.js';
import { setUpMethod } from './view/method.js';
import { setUpModelDialog } from './view/model-dialog.js';
import { clearErrors, clearNotices, notify, notifyError } from './view/notices.js';
import { setUpNumbers } from './view/numbers.js';
import { setUpOffline } from './view/offline.js';
import { setUpParameters } from './view/parameters.js';
import { setUpProbe } from './view/probe.js';
import { setUpKept } from './view/remember.js';
import { setUpStage } from './view/stage.js';
import { setUpStatus } from './view/status.js';
import { setUpTheme } from './view/theme.js';
import { setUpWelcome } from './view/welcome.js';
import { setUpWhatIf } from './view/what-if.js';

const store = createStore(initialState());

const notices = { clearErrors, clearNotices, notify, notifyError };
const asked = new URLSearchParams(location.search);
const engine = createEngine({
  backend: /** @type {'auto'} */ (asked.get('backend') ?? 'auto'),
  workers: workersFrom(asked.get('workers')),
  // The reader is told of a crash, and asks again.
  retries: 0,
  onProgress: (loading) => store.set({ loading }),
  onRestart: (restart) => createRestartFlow(store, engine, { explain, model, picture }, notices)(restart),
  onDead(error) {
    store.set({ engine: 'dead', loading: null });
    notifyError(error);
  },
}, ownParts());

const picture = createPictureFlow(store, engine, notices);
const explain = createExplainFlow(store, engine, notices);
const compare = createCompareFlow(store, engine, notices);
const model = createModelFlow(store, engine, picture, notices);
createDrawFlow(store, engine, notices);

setUpTheme();
setUpWelcome(store, picture);
setUpIntake(store, { picture, model });
setUpHeader(store);
setUpStage(store);
setUpProbe(store);
setUpLegend(store);
setUpCompare(store, engine, compare);
setUpStatus(store, explain);
setUpAnswers(store);
setUpWhatIf(store, createWhatIfFlow(store, engine, explain, notices));
setUpMethod(store, explain);
setUpParameters(store);
setUpDisplay(store);
setUpNumbers(store, engine);
const remember = createRememberFlow(store, model, notices);
setUpModelDialog(store, { model, trial: createTrialFlow(store, engine, { explain, model }), remember }, engine);
setUpKept(store, remember);
setUpEvents(store);
setUpOffline(store, createSaveFlow(engine, model));
if (!isSingle) createOfflineFlow(store, notices);

engine.loaded.then(
  (explainer) => {
    const methods = explainer.methods();
    const method = methods.find(({ id }) => id === 'grad-cam') ?? methods[0];
    const { tutorial } = explainer.presets();
    const known = { methods, colourMaps: explainer.colours(), tutorial, info: infoOf(explainer) };
    store.set({ engine: 'ready', loading: null, ...known, method: method.id });
  },
  () => {}, // Said already.
);
