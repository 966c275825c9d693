import { useEffect, useMemo, useRef, useState } from "../vendor/preact.js";
import { html } from "../shared/html.js";
import { identity, shop } from "../shared/config.js";
import { precise, money } from "../shared/format.js";
import { useTopic } from "../shared/topics.js";
import { isolated } from "../shared/typed.js";
import { explain } from "../shared/words.js";
import { buyer, forget, introduce, signedIn } from "./buyer.js";
import { catalog } from "./catalog.js";
import { hands, letGo } from "./hands.js";
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
      refuse("Type a name first.");
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
    <h2 id="dialog-title">Who is buying?</h2>
    <p id="name-hint">Your name goes on your reservations and shows among the latest buyers. This browser remembers it.</p>
    <label for="name">Your name</label>
    <input id="name" ref=${field} name="name" autocomplete="nickname" maxlength="100" aria-describedby="name-hint name-problem" aria-invalid=${problem !== null} />
    <p class="problem" id="name-problem" role="alert">${problem}</p>
    <div class="buttons">
      <button type="submit" class="primary" aria-disabled=${busy}>${busy ? "One moment …" : "Continue"}</button>
      <button type="button" class="quiet" onClick=${close}>Not now</button>
    </div>
  </form>`;
}

// SignIn says how to get a token; only the shop can give one.
export function SignIn({ signIn, close }) {
  const to = useMemo(() => signIn && signInAddress(signIn), [signIn]);
  return html`<div>
    <h2 id="dialog-title">Sign in to reserve</h2>
    <p>${buyer.problem ? explain(buyer.problem) : `Reserving is for people who are signed in at ${isolated(shop)}. Watching is free.`}</p>
    <div class="buttons">
      ${to ? html`<a class="primary" href=${to}>Sign in</a>` : html`<p>Sign in at the shop and come back here.</p>`}
      <button type="button" class="quiet" onClick=${close}>Close</button>
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
  const me = buyer.name ? html`as <bdi>${buyer.name}</bdi>` : "already";
  const stay = here ? html`Stay signed in${buyer.name ? html` as <bdi>${buyer.name}</bdi>` : ""}` : "Not now";
  return html`<div>
    ${who && html`<h2 id="dialog-title">${here ? html`Continue as ${name}?` : html`Sign in as ${name}?`}</h2>
      <p>${here && html`You are signed in ${me}. `}This link signs you in as ${name}${who.email && html` (<bdi>${who.email}</bdi>)`}. It did not come from this page's own sign-in.</p>
      <p>Continue only if you have just signed in as ${name} yourself. If somebody sent you the link, do not.</p>`}
    ${!who && html`<h2 id="dialog-title">${refusedForGood() ? "This sign-in link does not work" : "Sign-in link"}</h2>
      <p role="status">${refusal ? explain(refusal) : "Checking whose link this is …"}</p>${here && html`<p>You are still signed in ${me}.</p>`}`}
    <div class="buttons">
      ${who && html`<button type="button" class="primary" ref=${good} onClick=${acceptOffer}>Continue as ${name}</button>`}
      ${refusal && !refusedForGood() && html`<button type="button" class="primary" onClick=${lookAtOffer}>Try again</button>`}
      <button type="button" class="quiet" ref=${safe} onClick=${close}>${stay}</button>
    </div>
  </div>`;
}

// Account says who the buyer is and what was bought.
export function Account({ close }) {
  useTopic("hands");
  const bought = [...hands.bought.values()].sort((a, b) => b.at - a.at);
  const leave = () => {
    forget();
    letGo();
    close();
  };
  return html`<div>
    <h2 id="dialog-title"><bdi>${buyer.name || "You"}</bdi></h2>
    ${bought.length === 0
      ? html`<p>Nothing bought yet. What you buy shows here.</p>`
      : html`<ul class="bought">${bought.map(
          (b) => html`<li key=${b.id}><strong><bdi>${catalog.drops.get(b.dropId)?.name || `Drop ${b.dropId}`}</bdi></strong>
            <span>${b.size ? `Size ${isolated(b.size)} · ` : ""}${b.price === undefined ? "" : `${money(b.price)} · `}${precise(b.at)}</span></li>`,
        )}</ul>`}
    <div class="buttons">
      <button type="button" class="primary" onClick=${close}>Done</button>
      <button type="button" class="quiet" onClick=${leave}>${identity ? "Sign out here" : "This is not me"}</button>
    </div>
  </div>`;
}
