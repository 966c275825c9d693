// The drops as the server last told them, and what the page makes of them.
import { now } from "../shared/client.js";
import { t } from "../shared/messages.js";
import { tell } from "../shared/topics.js";

export const catalog = { drops: new Map(), order: [], loaded: false, failed: null };

// phaseOf is what a buyer can do with a drop now: wait (soon), reserve (open), hope (out), or wait for the shop
// (paused).
export function phaseOf(drop) {
  if (drop.paused) return "paused";
  if (Date.parse(drop.start_time) > now()) return "soon";
  return drop.available_stock > 0 ? "open" : "out";
}

// nameOf is a drop's name, or what stands in for it while the list has none.
export const nameOf = (id) => catalog.drops.get(id)?.name || t("shop.unnamed_drop", { number: String(id) });

const rank = { open: 0, paused: 1, soon: 2, out: 3 };

// sorted puts what can be bought first, then what comes next. It is done when the list changes, not while stock
// moves: no card goes away under a finger.
function sorted() {
  const key = (d) => [rank[phaseOf(d)], phaseOf(d) === "soon" ? Date.parse(d.start_time) : -d.id];
  return [...catalog.drops.values()]
    .map((d) => ({ id: d.id, key: key(d) }))
    .sort((a, b) => a.key[0] - b.key[0] || a.key[1] - b.key[1])
    .map((d) => d.id);
}

export const changed = ({ id }) => tell(`drop:${id}`);

// listed notes that the list was read. others: it has other drops than before.
export function listed(_, others) {
  if (others) catalog.order = sorted();
  if (others || catalog.failed) tell("list");
  Object.assign(catalog, { loaded: true, failed: null });
}

export function notListed(refusal) {
  catalog.failed = refusal;
  tell("list");
}
