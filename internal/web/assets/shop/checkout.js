// Buyers pay on the provider's page. The browser leaves for it and comes back with the payment's number in the address:
// at once, late, twice or never. The server knows what became of the payment, and the page asks until that is decided.
import { client } from "../shared/client.js";
import { payments } from "../shared/config.js";
import { t } from "../shared/messages.js";
import { say } from "../shared/say.js";
import { signedIn, signInFailed, tab } from "./buyer.js";
import { nameOf } from "./catalog.js";
import { changed, ended, hands, recount, tellTabs } from "./hands.js";

const key = "sneakerdrop.payment";
const pauses = [2, 2, 2, 2, 2, 3, 4, 6, 9, 15, 30, 45]; // s between two looks; after the last one the page stops

// back is the payment that the buyer came back from. id is 0 once nothing more is to be asked. shown says that a dialog
// tells of it, late that the page has stopped asking.
export const back = { id: 0, looks: 0, answer: null, refusal: null, late: false, shown: false };

// begun has the payments that buyers have begun here, by their reservations.
const begun = new Map();

export const hasBegun = (reservationId) => begun.has(reservationId);

const titles = { voided: "payment.voided", refunded: "payment.refunded", failed: "payment.failed" };

// titleOf says what is known of a payment that has no purchase.
export function titleOf({ id, answer, late }) {
  const title = titles[answer?.payment.status];
  if (title) return t(title);
  return t(id === 0 ? "payment.title" : late ? "payment.late" : "payment.checking");
}

const statusOf = () => back.answer?.payment.status;

// isChecked says whether the money for a unit of a drop is on its way.
export const isChecked = (dropId) => ["pending", "claimed"].includes(statusOf()) && back.answer.dropId === dropId;

// pay begins the payment of a hold, or goes on with it, and leaves for the provider's page. The hold lasts longer then.
export async function pay(id) {
  const hold = hands.holds.get(id);
  if (hold?.phase !== "held") return;
  closePayment();
  Object.assign(hold, { phase: "buying", problem: null });
  changed(hold.dropId);
  try {
    const { url, expires_at, payment } = await client.checkout({ reservationId: id, return_url: `${location.origin}/drops/${hold.dropId}?payment={payment}` });
    Object.assign(hold, { phase: "held", expires_at });
    begun.set(id, payment.id);
    tellTabs();
    if (url) {
      tab.set(key, String(payment.id)); // for those who come back by another way
      location.assign(url);
    } else lookAt(payment.id);
  } catch (refusal) {
    hold.phase = "held";
    if (refusal.code === "payment_pending" && begun.has(id)) lookAt(begun.get(id));
    else ended(hold, refusal);
  }
  changed(hold.dropId);
}

// readPayments reads what was refunded of the purchases of a drop, once for each. It is for the page of one drop: most
// visits need no such call.
export function readPayments(dropId) {
  if (!payments) return;
  for (const [id, kept] of hands.bought) if (kept.dropId === dropId && !kept.read && kept.status === "completed") readPayment(id, kept);
}

async function readPayment(id, kept) {
  kept.read = true;
  const answer = await client.purchase({ reservationId: id }).catch(() => null); // the receipt says it too
  kept.payment = answer?.purchase.payment;
  changed(kept.dropId);
}

// returned takes the payment out of the address, where it must not stay: addresses are copied and kept.
export function returned() {
  if (!payments) return;
  const to = new URL(location.href);
  const given = to.searchParams.get("payment");
  if (given !== null) {
    to.searchParams.delete("payment");
    history.replaceState(history.state, "", to);
  }
  const shown = /^[1-9]\d{0,15}$/.test(given);
  const id = Number(shown ? given : tab.get(key));
  if (shown) tab.set(key, given); // until it is decided: the page may be loaded again, by a sign-in for example
  Object.assign(back, { id, shown });
}

function lookAt(id) {
  Object.assign(back, { id, shown: true, looks: 0, answer: null, refusal: null, late: false });
  look();
}

let timer = 0;
let run = 0; // an answer to an earlier look no longer counts

// look asks what became of the payment, and goes on asking while that is not decided.
export async function look() {
  if (!back.id || (!back.shown && !signedIn())) return;
  clearTimeout(timer);
  const mine = ++run;
  const before = back.answer;
  let [answer, refusal] = [before, null];
  try {
    answer = await client.getPayment({ id: back.id });
  } catch (r) {
    refusal = r;
  }
  if (mine !== run) return;
  Object.assign(back, { answer, refusal, late: false });
  if (refusal) refused(refusal);
  else if (answer.purchase || titles[statusOf()]) decided(answer, before !== null);
  else waits(answer);
  changed(answer?.dropId);
}

function refused(refusal) {
  if (signInFailed(refusal)) return;
  if (refusal.code === "payment_not_found") finish();
  else later(refusal.retryAfter);
}

function waits({ payment, reservationId }) {
  begun.set(reservationId, payment.id);
  if (back.shown || payment.status !== "open") later(); // whoever came back without paying has not asked
}

function later(least = 0) {
  const pause = pauses[back.looks++];
  if (pause) timer = setTimeout(look, Math.max(pause, least) * 1000);
  else {
    back.late = true;
    if (back.shown) say(titleOf(back));
  }
}

// decided shows what became of the payment. One that was never made needs no words, unless the page has told of it.
function decided({ payment, dropId, reservationId, purchase }, told) {
  begun.delete(reservationId);
  finish();
  recount();
  if (purchase) {
    hands.receipt = { ...purchase, payment };
    back.shown = false;
    say(t("said.purchased", { drop: nameOf(dropId) }));
  } else if (back.shown || told || payment.status !== "failed") {
    back.shown = true;
    say(titleOf(back));
  }
}

function finish() {
  back.id = 0;
  tab.set(key, "");
}

// lookAnew begins to ask again. What an earlier buyer was told does not count.
export function lookAnew() {
  Object.assign(back, { looks: 0, answer: null, refusal: null, late: false });
  return look();
}

export function closePayment() {
  back.shown = false;
  changed();
}

// forgetPayment leaves nothing of a payment to whoever comes next.
export function forgetPayment() {
  run++;
  clearTimeout(timer);
  begun.clear();
  finish();
  Object.assign(back, { answer: null, refusal: null, late: false, shown: false });
}
