// What a drop's ledger tells: the story of its units, and how its holds ended. Pure, so that tests can ask.

export const emptyStory = () => ({
  seq: 0, at: [], available: [], held: [], sold: [], counts: { reserved: 0, purchased: 0, expired: 0, cancelled: 0 },
  live: [], now: { available: 0, held: 0, sold: 0 }, sizes: new Map(), firstReserve: 0, soldOut: 0, salesBySecond: new Map(),
  moment: 0, soldOutBefore: 0, // the newest moment, and soldOut before it
  back: new Map(), // size → pairs that were taken back to be sold again, since the last restock
});

const sizeOf = (entry) => entry.size ?? "";

const apply = {
  created: (s, e) => move(s, e, e.units, 0, 0),
  restocked: (s, e) => (move(s, e, e.units, 0, 0), s.back.delete(sizeOf(e))),
  returned: (s, e) => (move(s, e, e.units, 0, -e.units), s.back.set(sizeOf(e), (s.back.get(sizeOf(e)) ?? 0) + e.units)),
  written_off: (s, e) => move(s, e, 0, 0, -e.units),
  payment_started: (s, e) => move(s, e, 0, 0, 0),
  refunded: (s, e) => move(s, e, 0, 0, 0),
  reserved: (s, e) => (move(s, e, -e.units, e.units, 0), (s.counts.reserved += e.units)),
  purchased: (s, e) => (move(s, e, 0, -e.units, e.units), (s.counts.purchased += e.units)),
  reservation_expired: (s, e) => (move(s, e, e.units, -e.units, 0), (s.counts.expired += e.units)),
  reservation_cancelled: (s, e) => (move(s, e, e.units, -e.units, 0), (s.counts.cancelled += e.units)),
  // An offer holds a unit for a buyer from the waitlist. A unit that is kept for the line waits to be offered,
  // and one that is kept for early access waits for its buyers.
  offered: (s, e) => apply.reserved(s, e),
  offer_expired: (s, e) => apply.reservation_expired(s, e),
  offer_declined: (s, e) => apply.reservation_cancelled(s, e),
  waitlist_kept: (s, e) => move(s, e, -e.units, e.units, 0),
  waitlist_freed: (s, e) => move(s, e, e.units, -e.units, 0),
  access_kept: (s, e) => apply.waitlist_kept(s, e),
  access_freed: (s, e) => apply.waitlist_freed(s, e),
};

function move(story, entry, available, held, sold) {
  const { now } = story;
  now.available += available;
  now.held += held;
  now.sold += sold;
  story.sizes.set(sizeOf(entry), entry.available);
}

// readOn continues a story with further ledger entries.
export function readOn(story, entries) {
  for (const entry of entries) {
    if (entry.seq <= story.seq) continue;
    story.seq = entry.seq;
    const at = Date.parse(entry.at) / 1000;
    apply[entry.reason](story, entry);
    if (entry.reason === "reserved" && !story.firstReserve) story.firstReserve = at;
    if (entry.reason === "purchased") story.salesBySecond.set(Math.floor(at), (story.salesBySecond.get(Math.floor(at)) || 0) + entry.units);
    if (at > story.moment) [story.moment, story.soldOutBefore] = [at, story.soldOut];
    // A pair that came back later does not change how fast the others sold out. One that went to the waitlist in the
    // same commit was never on sale.
    const empty = [...story.sizes].every(([size, n]) => n <= (story.back.get(size) ?? 0));
    if (!empty) story.soldOut = 0;
    else if (!story.soldOut && story.counts.reserved > 0) story.soldOut = story.soldOutBefore || at;
    point(story, at);
  }
  return story;
}

// point keeps one point for each moment: entries of one commit are one.
function point(story, at) {
  const { available, held, sold } = story.now;
  const last = story.at.length - 1;
  if (last >= 0 && at <= story.at[last]) {
    [story.available[last], story.held[last], story.sold[last]] = [available, held, sold];
    return;
  }
  story.at.push(at);
  story.available.push(available);
  story.held.push(held);
  story.sold.push(sold);
}

// add appends what the figures say now, beyond the ledger as it was read. It never mixes with the ledger's own
// points, which are earlier where the page was not looked at for a while, and takes the place of nothing that they
// say.
export function add(story, at, { available, held, sold }) {
  story.live.push([at, available, held, sold]);
  if (story.live.length > 3600) story.live.shift(); // the ledger cannot be read: an hour of it
}

// drawn is the story from a little before the first reserve on, as nothing happens in the days before, and up to now
// (in seconds), unless that is long ago.
export function drawn(story, now) {
  const from = story.firstReserve ? story.firstReserve - 5 : 0;
  const first = story.at.findIndex((t) => t >= from);
  const i = Math.max(0, first - 1);
  const at = story.at.slice(i);
  at[0] = Math.max(at[0], from);
  const lines = [story.available.slice(i), story.held.slice(i), story.sold.slice(i)];
  const read = at[at.length - 1];
  for (const [t, ...values] of story.live.filter(([t]) => t > read)) {
    at.push(t);
    lines.forEach((line, n) => line.push(values[n]));
  }
  const last = at[at.length - 1];
  const end = Math.min(now, last + Math.max(20, (last - at[0]) / 10));
  if (end > last) {
    at.push(end);
    for (const line of lines) line.push(line[line.length - 1]);
  }
  return [at, ...lines];
}

// exact is a sum or a product of prices without what binary fractions add to it.
export const exact = (amount) => Math.round(amount * 1e4) / 1e4;

// conversion is the share of ended holds that were paid.
export function conversion({ counts }) {
  const ended = counts.purchased + counts.expired + counts.cancelled;
  return ended === 0 ? null : counts.purchased / ended;
}

// sellOut is how many seconds all units took to be taken, from the start, or from the first reserve if that came later.
export function sellOut(story, startTime) {
  if (!story.soldOut) return null;
  return story.soldOut - Math.max(story.firstReserve, startTime / 1000);
}

// rates are units sold a second, in slots wide enough for the chart; range, in seconds, leaves out what is not shown.
export function rates(story, most = 240, range = null) {
  let [first, last] = [Infinity, -Infinity];
  for (const s of story.salesBySecond.keys()) [first, last] = [Math.min(first, s), Math.max(last, s)];
  if (first > last) return { at: [], sold: [], slot: 1, peak: 0 };
  if (range) [first, last] = [Math.max(first, Math.floor(range[0])), Math.min(last, Math.ceil(range[1]))];
  if (first > last) last = first; // nothing was sold in it: one empty slot
  const slot = Math.max(1, Math.ceil((last - first + 1) / most));
  const at = [];
  const sold = [];
  for (let t = first - slot; t <= last + slot; t += slot) {
    at.push(t);
    let n = 0;
    for (let s = t; s < t + slot; s++) n += story.salesBySecond.get(s) || 0;
    sold.push(n / slot);
  }
  return { at, sold, slot, peak: [...story.salesBySecond.values()].reduce((a, b) => Math.max(a, b), 0) };
}

// within is a histogram between two readings of it.
export function between(before, after) {
  if (!before) return after;
  return { ...after, count: after.count - before.count, within: after.within.map((n, i) => n - before.within[i]) };
}

// percentile reads a histogram, within a slot by the straight line through it; null: it has nothing.
export function percentile({ count, seconds, within }, p) {
  if (count === 0) return null;
  const wanted = p * count;
  const i = within.findIndex((n) => n >= wanted);
  if (i < 0) return Infinity;
  const [low, below] = i === 0 ? [0, 0] : [seconds[i - 1], within[i - 1]];
  return low + ((seconds[i] - low) * (wanted - below)) / (within[i] - below || 1);
}
