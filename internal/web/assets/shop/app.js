import { useCallback, useEffect, useRef, useState } from "../vendor/preact.js";
import { html } from "../shared/html.js";
import { Brand } from "../shared/brand.js";
import { identity, signIn } from "../shared/config.js";
import { Dialog } from "../shared/dialog.js";
import { t } from "../shared/messages.js";
import { useTopic } from "../shared/topics.js";
import { initialOf } from "../shared/typed.js";
import { onlyDrop } from "./about.js";
import { buyer, signedIn } from "./buyer.js";
import { Card } from "./card.js";
import { catalog, phaseOf } from "./catalog.js";
import { back, closePayment } from "./checkout.js";
import { Account, Introduction, Offered, SignIn } from "./dialogs.js";
import { closeReceipt, hands, recount } from "./hands.js";
import { link } from "./link.js";
import { declineOffer, offer } from "./signin.js";
import { DropPage } from "./page.js";
import { Payment } from "./payment.js";
import { Receipt } from "./receipt.js";
import { Empty, Waiting } from "./states.js";
import { focusDrop, Tray } from "./tray.js";

export function App() {
  useTopic("hands");
  useTopic("buyer");
  const [dialog, show] = useState(null);
  const [wanted, want] = useState(null);
  const close = () => {
    if (offer.token) return declineOffer();
    if (hands.receipt) {
      const { dropId } = hands.receipt;
      closeReceipt();
      if (dialog === "account") return undefined; // where it was asked for
      setTimeout(focusDrop, 100, dropId);
    }
    if (back.shown) return closePayment();
    show(null);
    want(null);
    return undefined;
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
  const shown = offer.token ? "offer" : hands.receipt ? "receipt" : !back.shown ? dialog : back.refusal?.needsSignIn ? "sign-in" : "payment";
  return html`
    <${Header} account=${() => (signedIn() ? show("account") : ask(() => {}))} />
    <main id="main" tabindex="-1">${onlyDrop ? html`<${DropPage} ask=${asked} />` : html`<${Drops} ask=${asked} />`}</main>
    <${Tray} />
    <${Dialog} open=${shown !== null} close=${close}>
      ${shown === "offer" && html`<${Offered} close=${close} />`}
      ${shown === "receipt" && html`<${Receipt} close=${close} />`}
      ${shown === "payment" && html`<${Payment} close=${close} />`}
      ${shown === "name" && html`<${Introduction} done=${introduced} close=${close} />`}
      ${shown === "sign-in" && html`<${SignIn} signIn=${signIn} close=${close} />`}
      ${shown === "account" && html`<${Account} close=${close} />`}
    <//>
  `;
}

function Header({ account }) {
  useTopic("buyer");
  return html`<header class="top">
    <${Brand} href=${onlyDrop && "/"} />
    <${Live} />
    <button type="button" class="who" onClick=${account}>${signedIn() ? html`<span class="initial" aria-hidden="true">${initialOf(buyer.name) || "·"}</span><span><bdi>${short(buyer.name)}</bdi></span>` : identity ? t("shop.sign_in") : t("shop.your_name")}</button>
    <${Banner} />
  </header>`;
}

// short is as much of a name as has room beside the shop's; the account says all of it.
const short = (name) => [name, name.split(/\s/)[0], t("shop.you")].find((s) => s && s.length <= 10);

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
  if (!catalog.loaded) return html`<${Waiting} />`;
  if (catalog.order.length === 0) {
    return html`<${Empty} title=${t("shop.empty")} hint=${t("shop.empty_hint")} />`;
  }
  const alone = catalog.order.length === 1;
  // Large are the next drop, and whatever would be alone in the grid.
  const others = catalog.order.filter((id) => id !== catalog.hero);
  const large = catalog.order.filter((id) => id === catalog.hero || others.length === 1);
  const rest = catalog.order.filter((id) => !large.includes(id));
  // A card draws itself; made once, it is left alone when the list is drawn.
  const card = (id) => {
    const view = large.includes(id) ? "large" : "";
    const key = `${id} ${view}`;
    if (!cards.has(key)) cards.set(key, html`<${Card} key=${id} id=${id} view=${view} ask=${ask} />`);
    return cards.get(key);
  };
  return html`<div class="intro"><h1>${alone ? t("shop.drop") : t("shop.drops")}</h1><${Counts} alone=${alone} /></div>
    ${large.map((id) => html`<div key=${id} class="first">${card(id)}</div>`)}
    ${rest.length > 0 && html`<div class=${`drops of-${rest.length % 12}`}>${rest.slice(0, ready).map(card)}</div>`}`;
}

function Counts({ alone }) {
  useTopic("phases");
  if (alone) return html`<p>${t("shop.first_come")}</p>`;
  const phases = [...catalog.drops.values()].map(phaseOf);
  const count = (phase) => phases.filter((p) => p === phase).length;
  const [open, soon] = [count("open"), count("soon")];
  return html`<p>${[t("shop.on_sale", { n: open }), soon > 0 && t("shop.coming_up", { n: soon })].filter(Boolean).join(" · ")}</p>`;
}
