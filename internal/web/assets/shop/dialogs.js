import { useEffect, useMemo, useRef, useState } from "../vendor/preact.js";
import { html } from "../shared/html.js";
import { identity, shop } from "../shared/config.js";
import { precise, money } from "../shared/format.js";
import { rich, t } from "../shared/messages.js";
import { useTopic } from "../shared/topics.js";
import { isolated } from "../shared/typed.js";
import { explain } from "../shared/words.js";
import { buyer, forget, introduce, signedIn } from "./buyer.js";
import { nameOf } from "./catalog.js";
import { forgetPayment } from "./checkout.js";
import { Portrait } from "./gallery.js";
import { hands, letGo, showReceipt } from "./hands.js";
import { acceptOffer, lookAtOffer, offer, refusedForGood, signInAddress } from "./signin.js";

// Introduction asks for the buyer's name, once.
export function Introduction({ done, close }) {
  const [problem, refuse] = useState(null);
  const [busy, work] = useState(false);
  const field = useRef();
  useEffect(() => field.current.focus(), []);
  const submit = async (e) => {
    e.preventDefault();
    const name = field.current.value.trim();
    if (busy) return;
    if (name === "") {
      refuse(t("name.missing"));
      field.current.focus();
      return;
    }
    work(true);
    refuse(null);
    try {
      await introduce(name);
      done();
    } catch (refusal) {
      refuse(explain(refusal));
      work(false);
    }
  };
  return html`<form onSubmit=${submit} novalidate>
    <h2 id="dialog-title">${t("name.title")}</h2>
    <p id="name-hint">${t("name.hint")}</p>
    <label for="name">${t("name.label")}</label>
    <input id="name" ref=${field} name="name" autocomplete="nickname" maxlength="100" aria-describedby="name-hint name-problem" aria-invalid=${problem !== null} />
    <p class="problem" id="name-problem" role="alert">${problem}</p>
    <div class="buttons">
      <button type="submit" class="primary" aria-disabled=${busy}>${busy ? t("dialog.working") : t("name.continue")}</button>
      <button type="button" class="quiet" onClick=${close}>${t("dialog.not_now")}</button>
    </div>
  </form>`;
}

// SignIn says how to get a token; only the shop can give one.
export function SignIn({ signIn, close }) {
  const to = useMemo(() => signIn && signInAddress(signIn), [signIn]);
  return html`<div>
    <h2 id="dialog-title">${t("sign_in.title")}</h2>
    <p>${buyer.problem ? explain(buyer.problem) : t("sign_in.hint", { shop })}</p>
    <div class="buttons">
      ${to ? html`<a class="primary" href=${to}>${t("sign_in.go")}</a>` : html`<p>${t("sign_in.elsewhere")}</p>`}
      <button type="button" class="quiet" onClick=${close}>${t("dialog.close")}</button>
    </div>
  </div>`;
}

// Offered asks before the page becomes somebody else.
export function Offered({ close }) {
  useTopic("buyer");
  const { who, refusal } = offer;
  const here = signedIn();
  const safe = useRef();
  const good = useRef();
  useEffect(() => (here || !who ? safe : good).current.focus(), [who, refusal]);
  const name = who && html`<bdi>${who.username}</bdi>`;
  const me = { name: html`<bdi>${buyer.name}</bdi>` };
  const whole = who && { name: html`<span>${name}${who.email && html` (<bdi>${who.email}</bdi>)`}</span>` };
  const stay = !here ? t("dialog.not_now") : buyer.name ? rich("offer.stay_as", me) : t("offer.stay");
  return html`<div>
    ${who && html`<h2 id="dialog-title">${rich(here ? "offer.title_other" : "offer.title", { name })}</h2>
      <p>${here && html`<span>${buyer.name ? rich("offer.signed_in_as", me) : t("offer.signed_in")}</span> `}${rich("offer.link", whole)}</p>
      <p>${rich("offer.warning", { name })}</p>`}
    ${!who && html`<h2 id="dialog-title">${refusedForGood() ? t("offer.bad") : t("offer.unknown")}</h2>
      <p role="status">${refusal ? explain(refusal) : t("offer.checking")}</p>${here && html`<p>${buyer.name ? rich("offer.still_signed_in_as", me) : t("offer.still_signed_in")}</p>`}`}
    <div class="buttons">
      ${who && html`<button type="button" class="primary" ref=${good} onClick=${acceptOffer}>${rich("offer.continue", { name })}</button>`}
      ${refusal && !refusedForGood() && html`<button type="button" class="primary" onClick=${lookAtOffer}>${t("shop.retry")}</button>`}
      <button type="button" class="quiet" ref=${safe} onClick=${close}>${stay}</button>
    </div>
  </div>`;
}

// Account says who the buyer is and what was bought, each with its receipt.
export function Account({ close }) {
  useTopic("hands");
  const [opening, open] = useState({ id: 0, refusal: null });
  const bought = [...hands.bought.values()].sort((a, b) => b.at - a.at);
  const leave = () => {
    forget();
    letGo();
    forgetPayment();
    close();
  };
  const receipt = async (id) => {
    if (opening.id && !opening.refusal) return;
    open({ id, refusal: null });
    try {
      await showReceipt(id);
    } catch (refusal) {
      open({ id, refusal });
    }
  };
  const line = (b) => html`<li key=${b.id}>
    <${Portrait} id=${b.dropId} />
    <div><strong><bdi>${nameOf(b.dropId)}</bdi></strong>
      <span>${b.size ? `${t("hold.size", { size: b.size })} · ` : ""}${b.price === undefined ? "" : `${isolated(money(b.price))} · `}${precise(b.at)}</span></div>
    <button type="button" class="quiet" aria-busy=${opening.id === b.id && !opening.refusal} aria-label=${t("account.receipt_of", { drop: nameOf(b.dropId) })} onClick=${() => receipt(b.id)}>${t("account.receipt")}</button>
    ${opening.id === b.id && opening.refusal && html`<p class="problem" role="alert">${explain(opening.refusal)}</p>`}
  </li>`;
  return html`<div>
    <h2 id="dialog-title"><bdi>${buyer.name || t("shop.you")}</bdi></h2>
    ${bought.length === 0 ? html`<p>${t("account.empty")}</p>` : html`<h3>${t("account.purchases")}</h3><ul class="bought">${bought.map(line)}</ul>`}
    <div class="buttons">
      <button type="button" class="primary" onClick=${close}>${t("dialog.done")}</button>
      <button type="button" class="quiet" onClick=${leave}>${identity ? t("account.sign_out") : t("account.not_me")}</button>
    </div>
  </div>`;
}
