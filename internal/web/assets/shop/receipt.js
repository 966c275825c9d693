import { useEffect, useRef } from "../vendor/preact.js";
import { html } from "../shared/html.js";
import { shop } from "../shared/config.js";
import { amount, money, precise } from "../shared/format.js";
import { t } from "../shared/messages.js";
import { useTopic } from "../shared/topics.js";
import { nameOf } from "./catalog.js";
import { Portrait } from "./gallery.js";
import { hands } from "./hands.js";
import { letter, printer } from "./icons.js";

// numberOf is a purchase as receipts and the operators' lists name it: its drop, and its number there.
const numberOf = (purchase) => `${purchase.dropId}-${purchase.id % 2 ** 32}`;

function linesOf({ payment, ...purchase }) {
  return [
    [t("receipt.drop"), nameOf(purchase.dropId)],
    purchase.size && [t("receipt.size"), purchase.size],
    [t("receipt.price"), money(purchase.price)],
    [t("receipt.purchased"), precise(Date.parse(purchase.createdAt))],
    [t("receipt.number"), numberOf(purchase)],
    payment && [t("receipt.paid"), amount(payment.amount, payment.currency)],
    payment?.number && [t("receipt.payment"), payment.number],
    payment?.refunded > 0 && [t("receipt.refunded"), amount(payment.refunded, payment.currency)],
  ].filter(Boolean);
}

// mailOf is the address of a mail that has the receipt's text in it (RFC 6068). What a mail program cannot show stays
// out: isolates, and halves of characters.
function mailOf(purchase) {
  const encoded = (text) => encodeURIComponent(text.replace(/[\u2068\u2069]|\p{Surrogate}/gu, ""));
  const lines = [shop, "", ...linesOf(purchase).map(([name, value]) => `${name}: ${value}`), "", `${location.origin}/drops/${purchase.dropId}`];
  return `mailto:?subject=${encoded(t("receipt.subject", { shop, number: numberOf(purchase) }))}&body=${encoded(lines.join("\r\n"))}`;
}

// Receipt is what was bought, to keep: it can be printed, mailed, and opened again from the account.
export function Receipt({ close }) {
  useTopic("hands");
  const purchase = hands.receipt;
  const done = useRef();
  useEffect(() => {
    done.current?.focus();
    document.documentElement.classList.add("with-receipt"); // alone on paper
    return () => document.documentElement.classList.remove("with-receipt");
  }, []);
  if (!purchase) return null;
  return html`<div class="receipt">
    <${Portrait} id=${purchase.dropId} />
    <svg class="tick" viewBox="0 0 48 48" aria-hidden="true" focusable="false"><circle cx="24" cy="24" r="22" /><path d="M14 25l7 7 14-15" /></svg>
    <h2 id="dialog-title">${purchase.again ? t("receipt.title_again") : t("receipt.title")}</h2>
    <p class="seller"><bdi>${shop}</bdi></p>
    <dl>${linesOf(purchase).map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd><bdi>${value}</bdi></dd></div>`)}</dl>
    <p class="links"><button type="button" onClick=${() => print()}>${printer()}<span>${t("receipt.print")}</span></button><a href=${mailOf(purchase)}>${letter()}<span>${t("receipt.mail")}</span></a></p>
    <button type="button" class="primary" ref=${done} onClick=${close}>${t("dialog.done")}</button>
  </div>`;
}
