// The drops as the server last told them: the list, and what the live connection says since.
import { get } from "../shared/api.js";
import { now } from "../shared/clock.js";
import { tell } from "../shared/topics.js";

export const catalog = { drops: new Map(), order: [], loaded: false, failed: null };

// phaseOf is what a buyer can do with a drop now: wait (soon), reserve (open), hope (out), or wait for the shop (paused).
export function phaseOf(drop) {
  if (drop.paused) return "paused";
  if (Date.parse(drop.start_time) > now()) return "soon";
  return drop.available_stock > 0 ? "open" : "out";
}

const rank = { open: 0, paused: 1, soon: 2, out: 3 };

// sorted puts what can be bought first, then what comes next. It is done when the list changes, not while stock moves: no
// card goes away under a finger.
function sorted() {
  const key = (d) => [rank[phaseOf(d)], phaseOf(d) === "soon" ? Date.parse(d.start_time) : -d.id];
  return [...catalog.drops.values()]
    .map((d) => ({ id: d.id, key: key(d) }))
    .sort((a, b) => a.key[0] - b.key[0] || a.key[1] - b.key[1])
    .map((d) => d.id);
}

function put(drop) {
  const before = catalog.drops.get(drop.id);
  if (before && before.version > drop.version) return;
  if (before && before.version === drop.version && JSON.stringify(before) === JSON.stringify(drop)) return;
  catalog.drops.set(drop.id, drop);
  tell(`drop:${drop.id}`);
}

export async function loadAll() {
  let drops;
  try {
    drops = await get("/api/drops");
  } catch (refusal) {
    catalog.failed = refusal;
    tell("list");
    throw refusal;
  }
  const here = new Set(drops.map((d) => d.id));
  const changed = drops.some((d) => !catalog.drops.has(d.id)) || catalog.drops.size !== here.size;
  for (const id of catalog.drops.keys()) if (!here.has(id)) catalog.drops.delete(id);
  drops.forEach(put);
  if (changed || !catalog.loaded) catalog.order = sorted();
  if (changed || !catalog.loaded || catalog.failed) tell("list");
  Object.assign(catalog, { loaded: true, failed: null });
}

// moved takes a stock_update. It reports whether the drop is one that the list has.
export function moved({ dropId, available_stock, version, sizes, reason }) {
  const before = catalog.drops.get(dropId);
  if (!before) return false;
  if (version <= before.version) return true;
  const total_stock = sizes ? sizes.reduce((sum, s) => sum + s.total_stock, 0) : before.total_stock;
  catalog.drops.set(dropId, { ...before, available_stock, version, total_stock, ...(sizes ? { sizes } : {}) });
  tell(`drop:${dropId}`);
  // How many a plain drop has in all is not told.
  if (reason === "restocked" && !sizes) refresh(dropId, true);
  return true;
}

// What has changed beyond the stock is asked for, but not by everybody at once nor on each event.
const dirty = new Set();
let timer = 0;
let everything = false;

export function refresh(id, all = false) {
  dirty.add(id);
  everything ||= all;
  timer ||= setTimeout(fetchDirty, 500 + Math.random() * 1000);
}

async function fetchDirty() {
  timer = 0;
  const ids = [...dirty];
  const whole = everything || ids.length > 2;
  dirty.clear();
  everything = false;
  try {
    if (whole) await loadAll();
    else for (const drop of await Promise.all(ids.map((id) => get(`/api/drops/${id}`)))) catalog.drops.has(drop.id) && put(drop);
  } catch {
    // The connection says what is wrong, and all is loaded again when it is back.
  }
}
