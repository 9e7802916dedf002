import { useState } from 'react';
import 'pellucid/explainer';

import { questions } from './questions.js';

export function App() {
  const [question, setQuestion] = useState(questions.Regions);
  const [picture, setPicture] = useState('cat.jpg');
  const [isShown, show] = useState(true);
  const [opacity, fade] = useState();
  const [seen, see] = useState([]);
  const { method, parameters } = question;
  return (
    <main>
      {Object.entries(questions).map(([name, ask]) => <button key={name} onClick={() => setQuestion(ask)}>{name}</button>)}
      <button onClick={() => setPicture('coffee.jpg')}>Coffee</button>
      <button onClick={() => fade(0.25)}>Pale</button>
      <button onClick={() => fade(undefined)}>Strong</button>
      <button onClick={() => show(!isShown)}>Show or hide</button>
      {isShown && (
        <pellucid-explainer
          method={method}
          parameters={parameters}
          backend="cpu"
          opacity={opacity}
          onpellucid-result={({ detail: { explanation } }) => see((before) => [...before, `${explanation.method} ${explanation.target.label}`])}
        >
          <img src={picture} alt="What is explained" />
        </pellucid-explainer>
      )}
      <output>{seen.join('; ')}</output>
    </main>
  );
}
