// What a purchase was paid with: what lists say of it, and the dialog in which an operator refunds it.
import { html } from "../shared/html.js";
import { client } from "../shared/client.js";
import { currency, decimals, payments } from "../shared/config.js";
import { amount } from "../shared/format.js";
import { isolated } from "../shared/typed.js";
import { exact } from "./books.js";
import * as check from "./check.js";
import { Field, useForm, useSending } from "./forms.js";
import { openDialog } from "./modal.js";
import { longest, reasonOf, receiptOf, settle } from "./takeback.js";

export const paidHead = payments ? ["Payment"] : []; // of a column that is there only where buyers pay

const leftOf = ({ amount: paid, refunded }) => exact(paid - refunded);

// PaidCell is the cell of a list of purchases that says what was paid, with which number, and what of it was refunded.
export const paidCell = ({ payment, ...purchase }, operates, put) => (!payments ? [] : html`<td>${payment
  ? html`<span>${amount(payment.amount, payment.currency)}<small><bdi>${payment.number ?? ""}</bdi></small> <${Refunded} purchase=${{ ...purchase, payment }} operates=${operates} put=${put} /></span>`
  : "–"}</td>`);

// Refunded is what of a payment was refunded, and an operator's button that refunds the rest or a part of it. put(id,
// purchase) puts what became of the purchase into the list.
export function Refunded({ purchase, operates, put }) {
  const { id, username, payment } = purchase;
  const said = payment.refunded > 0 && `${amount(payment.refunded, payment.currency)} ${payment.unsettled ? "being refunded" : "refunded"}`;
  const open = operates && id && payment.status === "captured" && !payment.unsettled && leftOf(payment) > 0;
  // The button that opened the dialog may be gone: the focus goes to what stands in its place.
  const ended = () => setTimeout(() => document.activeElement === document.body && document.getElementById(`refunded-${id}`)?.focus());
  return html`<span>${said && html`<span class="refunded" id=${`refunded-${id}`} tabindex="-1">${said}</span>`}
    ${open && html`<button type="button" class="quiet" id=${`refund-${id}`} aria-label=${`Refund ${receiptOf(purchase)} of ${username}`} onClick=${() => openDialog(Refund, { purchase, put, ended })}>Refund</button>`}</span>`;
}

function Refund({ purchase, put, close }) {
  const { id, payment } = purchase;
  const left = leftOf(payment);
  const of = (n) => amount(n, payment.currency);
  const all = payment.currency === currency ? left.toFixed(decimals) : String(left);
  const form = useForm({ amount: all, reason: "" }, {
    amount: (s) => {
      if (s === all) return undefined; // what is left then, whatever others do meanwhile
      const n = check.price(s);
      return n > 0 && n <= left ? n : check.wrong(`More than 0, and at most ${of(left)}.`);
    },
    reason: reasonOf,
  });
  const { submit, end, box } = useSending(form, async (values) => {
    const receipt = `receipt ${receiptOf(purchase)} of ${isolated(purchase.username)}`;
    try {
      const answer = await client.refundPurchase({ id, ...values });
      put(id, answer);
      const { refunded, unsettled } = answer.payment;
      return { text: unsettled ? `The payment provider did not answer, and the server tries again: ${receipt}` : `${of(refunded)} of ${of(payment.amount)} refunded: ${receipt}` };
    } catch (refusal) {
      await settle(purchase, put).catch(() => {});
      if (refusal.code === "payment_failed") refusal.code = "not_now"; // it is the provider's sentence that helps here
      throw refusal;
    }
  }, close);
  return html`<form ref=${box} onSubmit=${submit} novalidate>
    <h2 id="dialog-title">Refund a pair of <bdi>${purchase.dropName}</bdi></h2>
    <p>Receipt ${receiptOf(purchase)} of <bdi>${purchase.username}</bdi>${purchase.size ? html`, size <bdi>${purchase.size}</bdi>` : ""}. Paid: ${of(payment.amount)}${payment.refunded > 0 ? `, refunded so far: ${of(payment.refunded)}` : ""}.</p>
    <${Field} form=${form} name="amount" label=${`Amount in ${payment.currency}`} inputmode="decimal" autocomplete="off" hint=${`At most ${of(left)}.`} />
    <${Field} form=${form} name="reason" label="Reason" maxlength=${longest} autocomplete="off" hint="Optional, for the operators' log. Leave out names and emails: nobody can delete from it." />
    <p class="hint">You cannot undo this. The pair stays sold: to sell it again, take it back.</p>
    ${end("Refund")}
  </form>`;
}
