// The return of a sold pair: what a list of purchases says of it, and the dialog in which an operator takes it back.
import { html } from "../shared/html.js";
import { client } from "../shared/client.js";
import { money, plural, precise, whole } from "../shared/format.js";
import { useTopic } from "../shared/topics.js";
import { isolated } from "../shared/typed.js";
import * as check from "./check.js";
import { Field, useForm, useSending } from "./forms.js";
import { openDialog } from "./modal.js";
import { dropOf } from "./room.js";

export const longest = 500; // characters of a reason
const places = { restocked: "Back in stock", written_off: "Written off" };
const done = { restocked: "Taken back into stock", written_off: "Taken back and written off" };

const cellOf = ({ id }) => `return-${id}`;

// became is the part of a purchase that a return or a refund changes.
export const became = ({ returned, returnedAt, payment }) => ({ returned, returnedAt, payment });

// TakenBack is where the pair of a purchase went and when, or an operator's button that takes it back. put(id, change)
// puts what became of it into the list.
export function TakenBack({ purchase, operates, put }) {
  const { id, dropId, username, returned, returnedAt } = purchase;
  if (returned) return html`<span id=${cellOf(purchase)} tabindex="-1">${places[returned]}, ${precise(Date.parse(returnedAt))}</span>`;
  if (!operates || dropOf(dropId)?.rehearsal) return html`–`;
  // The button that opened the dialog is gone when the pair was taken back: the focus goes to what stands in its place.
  // The dialog closes some time after it has ended.
  const ended = () => setTimeout(() => document.activeElement === document.body && document.getElementById(cellOf(purchase))?.focus());
  return html`<button type="button" class="quiet" id=${cellOf(purchase)} aria-label=${`Take back ${receiptOf(purchase)} of ${username}`} onClick=${() => openDialog(TakeBack, { purchase, put, ended })}>Take back</button>`;
}

// reasonOf checks a reason for the operators' log.
export const reasonOf = (text) => ([...text.trim()].length > longest ? check.wrong(`At most ${longest} characters.`) : text.trim() || undefined);

export const receiptOf = ({ dropId, id }) => `${dropId}-${id % 2 ** 32}`;

// settle puts into the list what has become of a purchase meanwhile.
export async function settle({ id, dropId }, put) {
  const { purchases } = await client.listPurchases({ id: dropId, after: id - 1, limit: 1 });
  if (purchases[0]?.id === id) put(id, purchases[0]);
}

const closed = { archived: "Nobody can reserve it while the drop is archived.", hidden: "Buyers do not see it while the drop is hidden.", paused: "Buyers cannot reserve it while the drop is paused." };

// effects say what each choice does to the stock, with the figures of now.
function effects(drop, size) {
  const { available } = drop.sizes.find((s) => s.size === size) ?? drop;
  const state = Object.keys(closed).find((name) => drop[name]);
  const of = size ? html` in size <bdi>${size}</bdi>` : "";
  return {
    true: html`${state ? closed[state] : "It is on sale at once."} ${plural(available + 1, "pair")} available${of} instead of ${whole(available)}.`,
    false: html`It leaves the stock: ${plural(drop.total - 1, "pair")} in total instead of ${whole(drop.total)}. What is on sale does not change.`,
  };
}

function TakeBack({ purchase, put, close }) {
  useTopic("room");
  const form = useForm({ restock: "", reason: "" }, {
    restock: (s) => (s === "" ? check.wrong("Choose what happens to the pair.") : s === "true"),
    reason: reasonOf,
  });
  const { submit, end, box } = useSending(form, async ({ restock, reason }) => {
    try {
      const answer = await client.returnPurchase({ id: purchase.id, restock, reason });
      put(purchase.id, answer);
      return { text: `${done[answer.returned]}: receipt ${receiptOf(purchase)} of ${isolated(purchase.username)}` };
    } catch (refusal) {
      if (refusal.code === "already_returned") await settle(purchase, put).catch(() => {});
      throw refusal;
    }
  }, close);
  const drop = dropOf(purchase.dropId);
  const effect = drop ? effects(drop, purchase.size) : {};
  const problem = form.problemOf("restock");
  const choice = (value, text) => html`<label><input type="radio" name="restock" value=${value} checked=${form.texts.restock === value} aria-invalid=${problem !== null} aria-describedby="restock-problem" onChange=${() => form.set("restock", value)} />
    <span>${text}<small>${effect[value]}</small></span></label>`;
  return html`<form ref=${box} onSubmit=${submit} novalidate>
    <h2 id="dialog-title">Take back a pair of <bdi>${purchase.dropName}</bdi></h2>
    <p>Receipt ${receiptOf(purchase)} of <bdi>${purchase.username}</bdi>${purchase.size ? html`, size <bdi>${purchase.size}</bdi>` : ""}, ${money(purchase.price)}.</p>
    <p class="notice">No money moves: ${purchase.payment ? "to refund the buyer, use Refund." : "refund the buyer where they paid."}</p>
    <fieldset class="choices which">
      <legend>What happens to the pair?</legend>
      ${choice("true", "Sell it again")}
      ${choice("false", "Write it off")}
      <p class="problem" id="restock-problem" role="alert">${problem}</p>
    </fieldset>
    <${Field} form=${form} name="reason" label="Reason" maxlength=${longest} autocomplete="off" hint="Optional, for the operators' log. Leave out names and emails: nobody can delete from it." />
    <p class="hint">You cannot undo this. The purchase stays in the list, and still counts toward the buyer's limit.</p>
    ${end("Take back")}
  </form>`;
}
