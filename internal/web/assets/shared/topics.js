import { useEffect, useReducer } from "../vendor/preact.js";

// Topics tie what changes to what shows it: a component that uses a topic is drawn again when it is told. Tellings
// within 40 ms are one, so that a busy drop costs 25 drawings a second and not hundreds.
const subscribers = new Map();
const told = new Set();
const times = new Map(); // topic → how often it was told
let timer = 0;

export function tell(topic) {
  told.add(topic);
  timer ||= setTimeout(flush, 40);
}

export function flush() {
  clearTimeout(timer);
  timer = 0;
  const topics = [...told];
  told.clear();
  for (const topic of topics) times.set(topic, (times.get(topic) || 0) + 1);
  for (const topic of topics) for (const draw of subscribers.get(topic) || []) draw();
}

export function subscribe(topic, draw) {
  if (!subscribers.has(topic)) subscribers.set(topic, new Set());
  subscribers.get(topic).add(draw);
  return () => subscribers.get(topic).delete(draw);
}

export function useTopic(topic) {
  const [, draw] = useReducer((n) => n + 1, 0);
  const drawn = times.get(topic);
  useEffect(() => {
    if (!topic) return undefined;
    if (times.get(topic) !== drawn) draw(); // effects come some time after the drawing: it was told in between
    return subscribe(topic, draw);
  }, [topic]);
}
