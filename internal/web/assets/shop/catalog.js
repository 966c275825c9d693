// The drops as the server last told them, and what the page makes of them.
import { now } from "../shared/client.js";
import { t } from "../shared/messages.js";
import { tell } from "../shared/topics.js";

export const catalog = { drops: new Map(), order: [], hero: undefined, loaded: false, failed: null };

// hasStarted says whether a drop's start has come. Only then a buyer can be in its line.
export const hasStarted = (drop) => Date.parse(drop.start_time) <= now();

// stageOf is how far a drop's draw is: soon, open, closed or drawn; empty: it has none. All but drawn go by the clock.
export function stageOf({ draw }) {
  if (!draw || draw.phase === "drawn") return draw?.phase ?? "";
  if (now() < Date.parse(draw.opens)) return "soon";
  return now() < Date.parse(draw.closes) ? "open" : "closed";
}

// phaseOf is what a buyer can do with a drop now: wait (soon), reserve (open), hope (out), wait for the shop (paused),
// or take part in its draw (draw).
export function phaseOf(drop) {
  if (drop.paused) return "paused";
  if (!["", "drawn"].includes(stageOf(drop))) return "draw";
  if (!hasStarted(drop)) return "soon";
  return drop.available_stock > 0 ? "open" : "out";
}

// nameOf is a drop's name, or what stands in for it while the list has none.
export const nameOf = (id) => catalog.drops.get(id)?.name || t("shop.unnamed_drop", { number: String(id) });

const rank = { open: 0, paused: 1, draw: 2, soon: 3, out: 4 };

// keyOf puts what can be bought first, then what comes next, and the newest first.
const keyOf = (d) => [rank[phaseOf(d)], phaseOf(d) === "soon" ? Date.parse(d.start_time) : -d.id];
const before = (a, b) => a[0] - b[0] || a[1] - b[1];

// arrange orders the cards when the list changes, not while stock moves. Those that are shown stay in their order, and
// a new one comes in between: no card goes away under a finger.
function arrange() {
  const { drops } = catalog;
  const shown = catalog.order.filter((id) => drops.has(id));
  const added = [...drops.values()].filter((d) => !shown.includes(d.id)).sort((a, b) => before(keyOf(a), keyOf(b)));
  for (const d of added) {
    const at = shown.findIndex((id) => before(keyOf(d), keyOf(drops.get(id))) < 0);
    shown.splice(at < 0 ? shown.length : at, 0, d.id);
  }
  catalog.order = shown;
  catalog.hero = nextOf(drops);
}

// nextOf is the drop that stands large above the list: the next one to start. One that starts meanwhile stays there.
function nextOf(drops) {
  const soon = [...drops.values()].filter((d) => phaseOf(d) === "soon").sort((a, b) => before(keyOf(a), keyOf(b)));
  const now = drops.get(catalog.hero);
  return now && phaseOf(now) !== "soon" ? now.id : soon[0]?.id;
}

// settleNext looks again for the next drop, when the clock was found to be wrong.
export function settleNext() {
  const before = catalog.hero;
  catalog.hero = nextOf(catalog.drops);
  if (catalog.hero !== before) tell("list");
}

export const changed = ({ id }) => tell(`drop:${id}`);

// listed notes that the list was read. others: it has other drops than before.
export function listed(_, others) {
  if (others) arrange();
  if (others || catalog.failed) tell("list");
  Object.assign(catalog, { loaded: true, failed: null });
}

export function notListed(refusal) {
  catalog.failed = refusal;
  tell("list");
}
