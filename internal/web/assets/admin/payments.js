import { html } from "../shared/html.js";
import { client, now } from "../shared/client.js";
import { amount, moment, plural, precise } from "../shared/format.js";
import { useTopic } from "../shared/topics.js";
import { Select } from "./filters.js";
import { Found, useFound, useNew } from "./found.js";
import { Page } from "./page.js";
import { Refunded } from "./refund.js";
import { useOperates } from "./role.js";
import { dropOf } from "./room.js";
import { change, href } from "./routes.js";
import { Table } from "./table.js";
import { receiptOf } from "./takeback.js";
import { zoneName } from "./zones.js";

// states are those of a payment: a class, and a word for people.
const states = {
  open: ["unknown", "Not paid yet"], pending: ["unknown", "On its way"], claimed: ["unknown", "Being captured"], captured: ["ok", "Paid"],
  voided: ["refused", "Voided: no pair left"], refunded: ["refused", "Refunded: no pair left"], failed: ["refused", "Not paid"],
};

// Payments are those of all drops, the newest first, or those that the server still has to do something for.
export function Payments({ query }) {
  useTopic("room");
  const operates = useOperates();
  const waiting = query.get("show") === "waiting";
  const list = useFound(async (at, limit) => {
    const answer = await client.listPayments(waiting ? { unsettled: true, after: at, limit } : { before: at, limit });
    return { rows: answer.payments, next: answer.next };
  }, waiting);
  useNew(list);
  const put = (id, { payment }) => list.put((p) => (p.purchaseId === id ? { ...p, ...payment } : p));
  const rows = list.rows.map((p) => html`<tr key=${p.id}><td>${precise(Date.parse(p.createdAt))}</td><td><${State} payment=${p} /></td><td>${amount(p.amount, p.currency)}</td><td>${refundOf(p, operates, put)}</td><td><a href=${href(`drops/${p.dropId}`)}><bdi>${nameOf(p)}</bdi></a></td><td><a href=${href(`buyers/${p.userId}`)}><bdi>${buyerOf(p)}</bdi></a></td><td>${p.purchaseId ? receiptOf({ id: p.purchaseId, dropId: p.dropId }) : "–"}</td><td><bdi>${p.number ?? "–"}</bdi></td></tr>`);
  return html`<${Page} title="Payments">
    <form class="asks" onSubmit=${(e) => e.preventDefault()}>
      <${Select} id="payments-show" label="Show" value=${waiting ? "waiting" : ""} put=${(show) => change({ show })} choices=${[["", "All payments"], ["waiting", "Waiting or stuck"]]} />
    </form>
    <${Found} list=${list} none=${waiting ? "No payment waits." : "No payments yet."}>
      <${Table} tall label=${waiting ? "Payments that wait, oldest first" : "Payments, newest first"} head=${["Time", "State", "Amount", "Refunded", "Drop", "Buyer", "Receipt", "Provider's number"]} numbers=${["Amount"]} rows=${rows} />
      <p class="hint" role="status">${list.next === null ? plural(rows.length, "payment") : `The ${waiting ? "oldest" : "newest"} ${plural(rows.length, "payment")}`}. Your time zone: ${zoneName(now())}.</p>
    <//>
  <//>`;
}

const nameOf = ({ dropId }) => dropOf(dropId)?.name ?? `Drop ${dropId}`;

// buyerOf is the buyer's name or, if only the shop knows that, the buyer's number.
export const buyerOf = ({ username, userId }) => (username === "Unknown" ? `Buyer ${userId}` : username);

function refundOf(payment, operates, put) {
  if (!payment.purchaseId) return "–";
  const purchase = { id: payment.purchaseId, dropId: payment.dropId, dropName: nameOf(payment), username: buyerOf(payment), payment };
  return html`<${Refunded} purchase=${purchase} operates=${operates} put=${put} />`;
}

// State is the state of a payment, and what it waits for or why nothing was sold.
function State({ payment }) {
  const { status, unsettled, reason, tries, due_at, expires_at } = payment;
  const [kind, word] = states[status] ?? ["unknown", status];
  const waits = tries > 0 ? `${plural(tries, "failed try", "failed tries")}: ${reason}. ` : status === "open" ? `The buyer can pay until ${moment(Date.parse(expires_at), now())}. ` : "";
  const more = unsettled ? `${waits}Next look: ${precise(Date.parse(due_at))}` : reason?.replaceAll("_", " ");
  return html`<span><span class=${`outcome ${kind}`}>${word}</span>${more && html`<small class="why">${more}</small>`}</span>`;
}
