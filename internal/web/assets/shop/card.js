import { useEffect, useReducer, useState } from "../vendor/preact.js";
import { html } from "../shared/html.js";
import { now } from "../shared/client.js";
import { ago, countdown, moment, money, plural, whole } from "../shared/format.js";
import { imageOf } from "../shared/image.js";
import { everySecond, useSeconds } from "../shared/ticker.js";
import { tell, useTopic } from "../shared/topics.js";
import { initialOf, isolated } from "../shared/typed.js";
import { explain } from "../shared/words.js";
import { Sneaker } from "../shared/sneaker.js";
import { catalog, phaseOf } from "./catalog.js";
import { boughtOf, hands, holdsOf, reserve } from "./hands.js";

// Card is one drop.
export function Card({ id, alone, ask }) {
  useTopic(`drop:${id}`);
  const [picked, pick] = useState(null);
  const drop = catalog.drops.get(id);
  const phase = usePhase(drop);
  if (!drop) return null;
  const name = `drop-${id}-name`;
  const size = drop.sizes ? drop.sizes.find((s) => s.size === picked && s.available_stock > 0)?.size : undefined;
  return html`<article class=${`card ${phase}${alone ? " alone" : ""}`} id=${`drop-${id}`} aria-labelledby=${name}>
    <div class="picture">
      <${Picture} key=${drop.image_url} drop=${drop} />
      <${Badge} drop=${drop} phase=${phase} />
    </div>
    <div class="body">
      <header>
        <h2 id=${name}><bdi>${drop.name}</bdi></h2>
        <p class="price" translate=${false}>${money(drop.price)}</p>
      </header>
      <${Stock} drop=${drop} phase=${phase} />
      ${drop.sizes && html`<${Sizes} drop=${drop} picked=${size} pick=${pick} shut=${phase === "out"} />`}
      <${Action} drop=${drop} phase=${phase} size=${size} ask=${ask} />
      <${Buyers} drop=${drop} />
    </div>
  </article>`;
}

// usePhase has the card drawn anew at the moment when its drop starts, and not each second before.
function usePhase(drop) {
  const [, draw] = useReducer((n) => n + 1, 0);
  const phase = drop && phaseOf(drop);
  const start = Date.parse(drop?.start_time);
  useEffect(() => {
    if (phase !== "soon") return;
    let timer = 0;
    const look = () => {
      if (start - now() < 1100) timer ||= setTimeout(draw, Math.max(0, start - now() + 5));
    };
    look();
    const stop = everySecond(look);
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [phase, start]);
  useEffect(() => tell("phases"), [phase]);
  return phase;
}

function Picture({ drop }) {
  const [failed, fail] = useState(false);
  const image = drop.image_url && imageOf(drop.image_url);
  if (!image || failed) return html`<${Sneaker} seed=${drop.id} />`;
  return html`<img src=${image} alt="" loading="lazy" decoding="async" width="400" height="300" referrerpolicy="no-referrer" onError=${() => fail(true)} />`;
}

function Badge({ drop, phase }) {
  if (phase === "soon") return html`<p class="badge soon"><${Countdown} to=${Date.parse(drop.start_time)} id=${drop.id} /></p>`;
  const text = { open: "On sale", out: "Sold out", paused: "Paused" }[phase];
  return html`<p class=${`badge ${phase}`}>${text}</p>`;
}

// Countdown counts on the server's clock, and has the card drawn anew when the time has come.
function Countdown({ to }) {
  useSeconds();
  const left = to - now();
  return html`<span role="timer" aria-label=${`Starts ${moment(to, now())}`}>Starts in <span translate=${false}>${countdown(left)}</span></span>`;
}

function Stock({ drop, phase }) {
  const left = drop.available_stock;
  const share = drop.total_stock > 0 ? left / drop.total_stock : 0;
  const few = phase === "open" && (left <= 3 || share <= 0.1);
  return html`<div class=${`stock${few ? " few" : ""}`}>
    <p><strong class="left" translate=${false}>${whole(left)}</strong> <span>of ${whole(drop.total_stock)} left</span>${drop.limit_per_user ? html`<span class="limit">${plural(drop.limit_per_user, "pair")} a person</span>` : ""}</p>
    <div class="bar" aria-hidden="true"><div style=${{ transform: `scaleX(${share})` }}></div></div>
  </div>`;
}

function Sizes({ drop, picked, pick, shut }) {
  const group = `size-${drop.id}`;
  return html`<fieldset class="sizes" disabled=${shut}>
    <legend>Size</legend>
    ${drop.sizes.map(
      (s) => html`<label key=${s.size} class=${s.available_stock === 0 ? "none" : picked === s.size ? "picked" : ""}>
        <input type="radio" name=${group} value=${s.size} checked=${picked === s.size} disabled=${s.available_stock === 0} onChange=${() => pick(s.size)} />
        <span class="label" translate=${false}><bdi>${s.size}</bdi></span>
        <span class="count">${s.available_stock > 0 ? html`${whole(s.available_stock)}<span class="sr"> left</span>` : html`<span aria-hidden="true">–</span><span class="sr">sold out</span>`}</span>
      </label>`,
    )}
  </fieldset>`;
}

function Action({ drop, phase, size, ask }) {
  const asking = hands.asking.has(drop.id);
  const holding = holdsOf(drop.id).length;
  const bought = boughtOf(drop.id).length;
  const full = drop.limit_per_user && holding + bought >= drop.limit_per_user;
  const notice = hands.notices.get(drop.id);
  const open = phase === "open" && !full && (!drop.sizes || size);
  const click = () => (open && !asking ? ask(() => reserve(drop.id, size)) : undefined);
  return html`<div class="action">
    <button class="primary" type="button" aria-disabled=${!open || asking} aria-busy=${asking} aria-describedby=${`drop-${drop.id}-name drop-${drop.id}-note`} onClick=${click}>
      ${asking ? "Reserving …" : labelOf(drop, phase, size, { holding, bought, full })}
    </button>
    <p class=${`note${notice ? " refused" : ""}`} id=${`drop-${drop.id}-note`}>${notice ? explain(notice) : hintOf(drop, phase, { holding, bought })}</p>
  </div>`;
}

function labelOf(drop, phase, size, { holding, bought, full }) {
  if (full) return holding ? "In your hands" : "You have yours";
  if (phase === "soon") return `Starts ${moment(Date.parse(drop.start_time), now())}`;
  if (phase === "paused") return "Paused";
  if (phase === "out") return "Sold out";
  if (drop.sizes && !size) return "Pick your size";
  return `Reserve${holding + bought > 0 ? " another" : ""}${size ? ` size ${isolated(size)}` : ""}`;
}

function hintOf(drop, phase, { holding, bought }) {
  if (holding > 0) return "Complete the purchase below before your time runs out.";
  if (bought > 0) return `You bought ${plural(bought, "pair")} of this drop.`;
  if (phase === "out") return "A pair comes back when somebody's hold runs out. It shows here at once.";
  if (phase === "paused") return "The shop goes on in a moment.";
  return "";
}

function Buyers({ drop }) {
  useTopic("half-minute");
  if (drop.purchases.length === 0) return null;
  return html`<ul class="buyers" aria-label="Latest buyers">
    ${drop.purchases.map(
      (p) => html`<li key=${p.id}><span class="initial" aria-hidden="true">${initialOf(p.username)}</span><span class="buyer"><bdi>${p.username}</bdi></span> <time datetime=${p.createdAt}>${ago(now() - Date.parse(p.createdAt))}</time></li>`,
    )}
  </ul>`;
}
