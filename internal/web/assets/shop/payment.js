import { useEffect, useRef } from "../vendor/preact.js";
import { html } from "../shared/html.js";
import { amount } from "../shared/format.js";
import { t } from "../shared/messages.js";
import { useTopic } from "../shared/topics.js";
import { explain } from "../shared/words.js";
import { back, lookAnew, pay, titleOf } from "./checkout.js";
import { hands } from "./hands.js";

function hintOf({ answer, refusal, late }, payable) {
  const { status, ...payment } = answer?.payment ?? {};
  if (refusal) return explain(refusal);
  if (status === "voided") return t("payment.voided_hint");
  if (status === "refunded") return t("payment.refunded_hint", { amount: amount(payment.amount, payment.currency) });
  if (status === "failed") return payable ? t("payment.failed_held") : t("payment.failed_hint");
  if (late) return t("payment.late_hint");
  return payable && status === "open" ? t("payment.open_hint") : t("payment.checking_hint");
}

// Payment tells a buyer who came back from the provider what became of the payment, until there is a receipt.
export function Payment({ close }) {
  useTopic("hands");
  const { answer, late } = back;
  const hold = hands.holds.get(answer?.reservationId);
  const { status } = answer?.payment ?? {};
  const payable = hold?.phase === "held" && ["open", "failed"].includes(status);
  const end = useRef();
  useEffect(() => end.current.focus(), []);
  return html`<div class="payment">
    <h2 id="dialog-title">${titleOf(back)}</h2>
    <p role="status">${hintOf(back, payable)}</p>
    <div class="buttons">
      ${payable && html`<button type="button" class="primary" onClick=${() => pay(hold.id)}>${status === "open" ? t("hold.continue") : t("shop.retry")}</button>`}
      ${late && html`<button type="button" class=${payable ? "quiet" : "primary"} onClick=${lookAnew}>${t("payment.check_again")}</button>`}
      <button type="button" class="quiet" ref=${end} onClick=${close}>${t("dialog.close")}</button>
    </div>
  </div>`;
}
