// The payments of a shop's own checkout, in memory. A real shop keeps them in its database, and decides each change in
// a transaction: a buyer pays at the same moment at which the server closes the checkout.

/**
 * @typedef {{ payment: string, state: string, amount: string, currency: string, receipt: string, refunded: string, reason: string }} Payment
 * @typedef {{ action: string, payment: string, key: string, amount: string, reason: string }} Call
 * @typedef {{ code: string, reason: string }} Refusal
 */

/** @type {Map<string, Payment & { began: number, keys: Set<string> }>} */
const payments = new Map();

/** @param {string} payment @param {string} amount @param {string} currency */
function begin(payment, amount, currency) {
  let p = payments.get(payment);
  if (p) return p;
  p = { payment, state: "open", amount, currency, receipt: "", refunded: "0", reason: "", began: Date.now(), keys: new Set() };
  payments.set(payment, p);
  return p;
}

/** visit: a buyer came with a good link, so there is a payment from now on. @param {URLSearchParams} link */
export const visit = (link) => begin(link.get("payment") ?? "", link.get("amount") ?? "", link.get("currency") ?? "");

/** pay: the buyer pays. The answer is the new state, or undefined if nobody can pay. @param {URLSearchParams} link @param {boolean} good */
export function pay(link, good) {
  const p = visit(link);
  if (p.state !== "open") return undefined;
  if (good) Object.assign(p, { state: "authorised", receipt: `R-${payments.size}` });
  return p.state;
}

/** obey does what the server asks, and answers with the payment as it then is. Asked twice, it does it once. @param {Call} call */
export function obey({ action, payment, key, amount }) {
  if (action === "close" && !payments.has(payment)) begin(payment, "0", ""); // the buyer may still come with the link
  const p = payments.get(payment);
  if (!p) return refuse("unknown_payment", "No buyer has come for this payment.");
  switch (action) {
    case "find":
      break;
    case "close":
      if (p.state === "open") Object.assign(p, { state: "failed", reason: "The shop closed the checkout." });
      break;
    case "capture":
      if (p.state !== "authorised" && p.state !== "captured") return refuse("not_authorised", `The payment is ${p.state}.`);
      p.state = "captured"; // here: your payment company
      break;
    case "void":
      if (p.state !== "authorised" && p.state !== "voided") return refuse("not_authorised", `The payment is ${p.state}.`);
      p.state = "voided"; // here: your payment company
      break;
    case "refund": {
      if (p.state !== "captured") return refuse("not_captured", `The payment is ${p.state}.`);
      if (p.keys.has(key)) break; // this refund is made
      const refunded = units(p.refunded) + units(amount);
      if (refunded > units(p.amount)) return refuse("too_much", `${p.refunded} of ${p.amount} are refunded already.`);
      p.keys.add(key); // here: your payment company, with the same key
      p.refunded = String(refunded / 10_000);
      break;
    }
    default:
      return refuse("unsupported", `There is no action ${action}.`);
  }
  return shown(p);
}

/** list answers what began at a moment or later, 100 on a page. @param {string} from @param {string} [after] */
export function list(from, after) {
  const all = [...payments.values()].filter((p) => p.began >= Date.parse(from));
  const start = after === undefined ? 0 : Number(after);
  const next = start + 100 < all.length ? { next: String(start + 100) } : {};
  return { payments: all.slice(start, start + 100).map(shown), ...next };
}

/** @param {Payment} p @returns {Payment} */
const shown = ({ payment, state, amount, currency, receipt, refunded, reason }) => ({ payment, state, amount, currency, receipt, refunded, reason });

/** units: amounts have at most four decimals, so these are whole numbers. @param {string} amount */
const units = (amount) => Math.round(Number(amount) * 10_000);

/** @param {string} code @param {string} reason @returns {Refusal} */
const refuse = (code, reason) => ({ code, reason });
