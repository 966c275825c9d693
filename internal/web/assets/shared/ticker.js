import { useEffect, useReducer } from "../vendor/preact.js";
import { now, onJump } from "./client.js";

// One timer for all that counts: it goes off just after each full second of the server's clock.
const counting = new Set();
let timer = 0;

function tick() {
  timer = 0;
  for (const draw of [...counting]) draw();
  if (counting.size > 0) start();
}

function start() {
  timer ||= setTimeout(tick, 1005 - (now() % 1000));
}

// Timers of a page that nobody sees go off late, and while the device sleeps not at all: what was missed is drawn at
// once.
function catchUp() {
  if (document.hidden || timer === 0) return;
  clearTimeout(timer);
  tick();
}

onJump(catchUp);
document.addEventListener("visibilitychange", catchUp);

export function everySecond(draw) {
  counting.add(draw);
  start();
  return () => counting.delete(draw);
}

export function useSeconds(wanted = true) {
  const [, draw] = useReducer((n) => n + 1, 0);
  useEffect(() => (wanted ? everySecond(draw) : undefined), [wanted]);
}
