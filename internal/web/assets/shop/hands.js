// The buyer's holds with their countdown, and purchases. The server has the truth: the page asks it after a reload, in
// another tab, and after a reconnect.
import { client } from "../shared/client.js";
import { spoken } from "../shared/format.js";
import { t } from "../shared/messages.js";
import { say } from "../shared/say.js";
import { tell } from "../shared/topics.js";
import { inTurns } from "../shared/turns.js";
import { buyer, knownAs, signInFailed } from "./buyer.js";
import { identity } from "../shared/config.js";
import { explain } from "../shared/words.js";
import { catalog, nameOf } from "./catalog.js";
import { codeOf, focusCode, isOfCode } from "./codes.js";

export const hands = {
  holds: new Map(), // reservation id → {…reservation, phase: held, buying, giving or over, problem}
  bought: new Map(), // reservation id → {dropId, size, at, price}
  notices: new Map(), // drop id → refusal
  asking: new Map(), // drop id → what is asked for: "reserve", "join" a waitlist, or "enter" a draw
  lines: new Map(), // drop id → the buyer's entries in its waitlist
  entries: new Map(), // drop id → the buyer's entry in its draw, or null
  receipt: null,
  fresh: 0, // the hold that was reserved here just now, until it has the focus
};

const others = "BroadcastChannel" in globalThis ? new BroadcastChannel("sneakerdrop") : null;
if (others) others.onmessage = () => recount();

// tellTabs has the buyer's other tabs ask the server what there is.
export const tellTabs = () => others?.postMessage("");

export function changed(dropId) {
  tell("hands");
  if (dropId) tell(`drop:${dropId}`);
}

export const holdsOf = (dropId) => [...hands.holds.values()].filter((h) => h.dropId === dropId && h.phase !== "over");
export const boughtOf = (dropId) => [...hands.bought.values()].filter((b) => b.dropId === dropId);

export const { remaining } = client;

const intentOf = (dropId, size, code = "") => JSON.stringify(["reserve", dropId, size, buyer.name, code]);

// reserve asks for a unit. code is that of early access, empty if it needs none.
export async function reserve(dropId, size, code = "") {
  if (hands.asking.has(dropId)) return;
  hands.asking.set(dropId, "reserve");
  hands.notices.delete(dropId);
  changed(dropId);
  const before = new Set(hands.holds.keys());
  try {
    const input = { dropId, ...(size ? { size } : {}), ...(code ? { code } : {}), ...(identity ? {} : { userName: buyer.name }) };
    const made = await client.reserve(input, { intent: intentOf(dropId, size, code) });
    if (!buyer.id || !identity) knownAs(made.userId);
    took(made);
    if (made.status === "active") hands.fresh = made.id;
    tellTabs();
  } catch (refusal) {
    const here = refusal.unsure && holdsOf(dropId).find((h) => !before.has(h.id)); // it was heard of another way
    if (here) hands.fresh = here.id;
    if (!here && !signInFailed(refusal)) hands.notices.set(dropId, Object.assign(refusal, { of: size ?? "" }));
    if (!here) say(explain(refusal));
    if (isOfCode(refusal)) focusCode(dropId);
    if (refusal.unsure) recount();
  }
  hands.asking.delete(dropId);
  changed(dropId);
}

// settled are the reservations that have ended, for good: an answer that says otherwise was on its way when they did.
const settled = new Set();

// took keeps what the server says of a reservation, unless something is being done about it here.
function took(reservation) {
  if (identity && buyer.id && reservation.userId !== buyer.id) return; // of whoever was signed in when it was asked for
  const had = hands.holds.get(reservation.id);
  if (reservation.status !== "active") settled.add(reservation.id);
  else if (settled.has(reservation.id)) return;
  if (reservation.status === "active") {
    if (!had) found(reservation);
    if (!had || had.phase === "over") hands.holds.set(reservation.id, { ...reservation, phase: "held" });
    else if (Date.parse(reservation.expires_at) > Date.parse(had.expires_at)) had.expires_at = reservation.expires_at; // a payment began
  } else if (reservation.status === "completed") {
    hands.holds.delete(reservation.id);
    if (!hands.bought.has(reservation.id)) hands.bought.set(reservation.id, { ...reservation, at: Date.parse(reservation.createdAt) });
  } else if (had?.phase === "held" || had?.phase === "buying") {
    if (reservation.status === "cancelled") hands.holds.delete(reservation.id);
    else over(had);
  }
  changed(reservation.dropId);
}

// found ends what was not known of the click that made a hold: it is here.
function found({ dropId, size, offer, ...hold }) {
  for (const code of ["", codeOf(dropId)]) client.settle(intentOf(dropId, size, code));
  if (hands.notices.get(dropId)?.unsure) hands.notices.delete(dropId);
  if (offer && !hands.asking.has(dropId)) say(t("said.offered", { drop: nameOf(dropId), time: spoken(remaining(hold)) }));
}

export const heard = took; // reservation_update

function over(hold) {
  if (hold.phase === "over") return;
  hold.phase = "over";
  hold.problem = null;
  say(t(hold.offer ? "hold.over_hint_offer" : "said.over", { drop: nameOf(hold.dropId) }));
  changed(hold.dropId);
}

export async function buy(id) {
  const hold = hands.holds.get(id);
  if (hold?.phase !== "held") return;
  Object.assign(hold, { phase: "buying", problem: null });
  changed(hold.dropId);
  try {
    const { purchase } = await client.purchase({ reservationId: id });
    settled.add(id);
    hands.holds.delete(id);
    hands.bought.set(id, { ...hold, status: "completed", at: Date.parse(purchase.createdAt), price: purchase.price });
    hands.receipt = purchase;
    say(t("said.purchased", { drop: nameOf(hold.dropId) }));
    tellTabs();
  } catch (refusal) {
    hold.phase = "held";
    ended(hold, refusal);
  }
  changed(hold.dropId);
}

export async function giveBack(id) {
  const hold = hands.holds.get(id);
  if (hold?.phase !== "held") return;
  Object.assign(hold, { phase: "giving", problem: null });
  changed(hold.dropId);
  try {
    await client.cancel({ reservationId: id });
    settled.add(id);
    hands.holds.delete(id);
    say(t(hold.offer ? "said.declined" : "said.released", { drop: nameOf(hold.dropId) }));
    tellTabs();
  } catch (refusal) {
    hold.phase = "held";
    ended(hold, refusal);
  }
  changed(hold.dropId);
}

// ended takes note of a refusal: the hold has ended, or it has not and the buyer is told why.
export function ended(hold, refusal) {
  if (refusal.code === "reservation_expired") over(hold);
  else if (refusal.code === "reservation_cancelled") {
    hands.holds.delete(hold.id); // in another tab: whoever pressed a button here is told
    hands.notices.set(hold.dropId, refusal);
    say(explain(refusal));
  } else {
    hold.problem = refusal;
    say(explain(refusal));
    signInFailed(refusal);
    recount();
  }
}

export function dismiss(id) {
  const hold = hands.holds.get(id);
  if (hold?.phase !== "over") return;
  hands.holds.delete(id);
  changed(hold.dropId);
}

// ran takes note that a hold's time is over by the clock here. The server decides whether it is; where it cannot be
// asked, the clock does.
export async function ran(hold) {
  const at = performance.now();
  if (hold.phase !== "held" || at - (hold.askedAt ?? -Infinity) < 900) return;
  hold.askedAt = at;
  if (!(await recount()) && hold.phase === "held") over(hold);
}

// recount asks the server what the buyer has, and resolves to whether it said so.
const asked = inTurns(count);
export const recount = () => asked();

async function count() {
  if (!buyer.id) return false;
  const of = buyer.id;
  try {
    const all = await client.listReservations({ id: of, limit: 200 });
    if (of === buyer.id) all.forEach(took);
    tell("counted");
    return true;
  } catch (refusal) {
    // A database that was begun anew knows nobody; the next reserve makes the buyer again.
    if (refusal.code === "user_not_found" && !identity) knownAs(0);
    signInFailed(refusal);
    return false;
  }
}

// forgive takes back what was said of a lost connection, once it is there again and the server was asked.
export function forgive() {
  for (const [dropId, refusal] of hands.notices) {
    if (!refusal.unsure) continue;
    hands.notices.delete(dropId);
    changed(dropId);
  }
  for (const hold of hands.holds.values()) {
    if (!hold.problem?.unsure) continue;
    hold.problem = null;
    changed(hold.dropId);
  }
}

export function letGo() {
  hands.holds.clear();
  hands.bought.clear();
  hands.notices.clear();
  hands.lines.clear();
  hands.entries.clear();
  tell("hands");
  for (const id of catalog.drops.keys()) tell(`drop:${id}`);
}

// showReceipt opens the receipt of a purchase again. The server answers a repeated purchase with the one there is.
export async function showReceipt(id) {
  const kept = hands.bought.get(id);
  if (kept?.status !== "completed") return;
  const { purchase } = await client.purchase({ reservationId: id });
  if (hands.bought.get(id) !== kept) return; // somebody else is signed in by now
  hands.receipt = { ...purchase, again: true };
  changed();
}

export function closeReceipt() {
  hands.receipt = null;
  changed();
}
