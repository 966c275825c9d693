import { useCallback, useEffect, useRef, useState } from "../vendor/preact.js";
import { html } from "../shared/html.js";
import { identity, shop, signIn } from "../shared/config.js";
import { Dialog } from "../shared/dialog.js";
import { t } from "../shared/messages.js";
import { useTopic } from "../shared/topics.js";
import { initialOf } from "../shared/typed.js";
import { explain } from "../shared/words.js";
import { buyer, signedIn } from "./buyer.js";
import { Card } from "./card.js";
import { catalog, phaseOf } from "./catalog.js";
import { Account, Introduction, Offered, SignIn } from "./dialogs.js";
import { closeReceipt, hands, recount } from "./hands.js";
import { link, loadAll } from "./link.js";
import { declineOffer, offer } from "./signin.js";
import { focusDrop, Receipt, Tray } from "./tray.js";

export function App() {
  useTopic("hands");
  useTopic("buyer");
  const [dialog, show] = useState(null);
  const [wanted, want] = useState(null);
  const close = () => {
    if (offer.token) return declineOffer();
    if (hands.receipt) {
      setTimeout(focusDrop, 100, hands.receipt.dropId);
      closeReceipt();
    }
    show(null);
    want(null);
  };
  // ask runs what needs a buyer, after asking who it is if that is not known.
  const ask = (then) => {
    if (signedIn()) return then();
    want(() => then);
    show(identity ? "sign-in" : "name");
  };
  const latest = useRef();
  latest.current = ask;
  const asked = useCallback((then) => latest.current(then), []);
  const introduced = () => {
    show(null);
    want(null);
    recount();
    wanted?.();
  };
  const shown = offer.token ? "offer" : hands.receipt ? "receipt" : dialog;
  return html`
    <${Header} account=${() => (signedIn() ? show("account") : ask(() => {}))} />
    <${Banner} />
    <main id="main" tabindex="-1"><${Drops} ask=${asked} /></main>
    <${Tray} />
    <${Dialog} open=${shown !== null} close=${close}>
      ${shown === "offer" && html`<${Offered} close=${close} />`}
      ${shown === "receipt" && html`<${Receipt} close=${close} />`}
      ${shown === "name" && html`<${Introduction} done=${introduced} close=${close} />`}
      ${shown === "sign-in" && html`<${SignIn} signIn=${signIn} close=${close} />`}
      ${shown === "account" && html`<${Account} close=${close} />`}
    <//>
  `;
}

function Header({ account }) {
  useTopic("buyer");
  return html`<header class="top">
    <p class="shop"><bdi>${shop}</bdi></p>
    <${Live} />
    <button type="button" class="who" onClick=${account}>${signedIn() ? html`<span class="initial" aria-hidden="true">${initialOf(buyer.name) || "·"}</span><span><bdi>${short(buyer.name)}</bdi></span>` : identity ? t("shop.sign_in") : t("shop.your_name")}</button>
  </header>`;
}

// short is as much of a name as has room beside the shop's; the account says all of it.
const short = (name) => [name, name.split(/\s/)[0], t("shop.you")].find((s) => s && s.length <= 12);

function Live() {
  useTopic("link");
  return html`<p class=${`live ${link.up ? "up" : "down"}`}><span class="dot" aria-hidden="true"></span>${link.up ? t("shop.live") : "…"}</p>`;
}

// Banner says that the page may be behind, for as long as it may.
function Banner() {
  useTopic("link");
  return html`<div class="banner" role="status">${link.lost && html`<p>${t("shop.lost")}</p>`}</div>`;
}

const atOnce = 12;

// useProgress draws long lists in steps, so that the page answers in between.
function useProgress(length) {
  const [ready, more] = useState(atOnce);
  useEffect(() => {
    if (ready >= length) return;
    const next = setTimeout(() => more(ready + 6), 16);
    return () => clearTimeout(next);
  }, [ready, length]);
  return ready;
}

function Drops({ ask }) {
  useTopic("list");
  const ready = useProgress(catalog.order.length);
  const cards = useRef(new Map()).current;
  if (!catalog.loaded) return catalog.failed ? html`<${Unreachable} />` : html`<${Skeleton} />`;
  if (catalog.order.length === 0) {
    return html`<div class="empty"><h1>${t("shop.empty")}</h1><p>${t("shop.empty_hint")}</p></div>`;
  }
  const alone = catalog.order.length === 1;
  // A card draws itself; made once, it is left alone when the list is drawn.
  const card = (id) => {
    const key = `${id} ${alone}`;
    if (!cards.has(key)) cards.set(key, html`<${Card} key=${id} id=${id} alone=${alone} ask=${ask} />`);
    return cards.get(key);
  };
  return html`<div class="intro"><h1>${alone ? t("shop.drop") : t("shop.drops")}</h1><${Counts} alone=${alone} /></div>
    <div class=${`drops${alone ? " alone" : ""}`}>${catalog.order.slice(0, ready).map(card)}</div>`;
}

function Counts({ alone }) {
  useTopic("phases");
  if (alone) return html`<p>${t("shop.first_come")}</p>`;
  const phases = [...catalog.drops.values()].map(phaseOf);
  const count = (phase) => phases.filter((p) => p === phase).length;
  const [open, soon] = [count("open"), count("soon")];
  return html`<p>${[t("shop.on_sale", { n: open }), soon > 0 && t("shop.coming_up", { n: soon })].filter(Boolean).join(" · ")}</p>`;
}

function Skeleton() {
  return html`<div class="drops" aria-busy="true">${[1, 2, 3].map((n) => html`<div key=${n} class="card ghost" />`)}</div>`;
}

function Unreachable() {
  return html`<div class="empty"><h1>${t("shop.unreachable")}</h1><p>${explain(catalog.failed)}</p>
    <button type="button" class="primary" onClick=${loadAll}>${t("shop.retry")}</button></div>`;
}
