import { useEffect, useLayoutEffect, useMemo, useReducer, useRef, useState } from "../vendor/preact.js";
import { html } from "../shared/html.js";
import { now } from "../shared/client.js";
import { ago, amount, countdown, moment, money, spoken, whole } from "../shared/format.js";
import { imageOf } from "../shared/image.js";
import { rich, t } from "../shared/messages.js";
import { everySecond, useSeconds } from "../shared/ticker.js";
import { tell, useTopic } from "../shared/topics.js";
import { initialOf } from "../shared/typed.js";
import { explain } from "../shared/words.js";
import { onlyDrop, picturesOf, sizeGuide } from "./about.js";
import { catalog, hasStarted, phaseOf } from "./catalog.js";
import { isChecked, readPayments } from "./checkout.js";
import { Clock } from "./clock.js";
import { codeOf, isOfCode } from "./codes.js";
import { Early, earlyOf, momentOf } from "./early.js";
import { DrawBadge, Entering, Entry } from "./entering.js";
import { Gallery, Slide } from "./gallery.js";
import { boughtOf, hands, holdsOf, reserve } from "./hands.js";
import { Places } from "./places.js";
import { join, placeOf } from "./waitlist.js";

// Card is one drop: in the list, or in full (view: large or page). Its children come after all else.
export function Card({ id, view = "", ask, children }) {
  useTopic(`drop:${id}`);
  const [picked, pick] = useState(null);
  const [unfolded, unfold] = useState(() => codeOf(id) !== ""); // the field for a code
  const drop = catalog.drops.get(id);
  const phase = usePhase(drop);
  const box = useSteadyHeight(phase, view !== "");
  const pictures = useMemo(() => (view === "page" && drop ? picturesOf(drop) : []), [drop?.image_url]);
  if (!drop) return null;
  const name = `drop-${id}-name`;
  const early = earlyOf(drop, unfolded);
  const line = early.lets || (drop.waitlist && hasStarted(drop)); // who comes too late can wait, also in a pause
  const size = drop.sizes ? drop.sizes.find((s) => s.size === picked && (line || s.available_stock > 0))?.size : undefined;
  const wide = view !== "";
  const badge = !(wide && phase === "soon") && html`<${Badge} drop=${drop} phase=${phase} />`; // the clock says it
  const title = html`<bdi>${drop.name}</bdi>`;
  return html`<article class=${`card ${phase}${wide ? ` wide ${view}` : ""}`} id=${`drop-${id}`} aria-labelledby=${name}>
    ${view === "page"
      ? html`<${Gallery} pictures=${pictures} name=${drop.name} seed=${id}>${badge}<//>`
      : html`<div class="picture">
          <a href=${pageOf(id)} tabindex="-1" aria-hidden="true"><${Slide} key=${drop.image_url} picture=${{ url: imageOf(drop.image_url || ""), alt: "" }} seed=${id} /></a>
          ${badge}
        </div>`}
    <div class="body" ref=${box}>
      <header>
        ${view === "page" ? html`<h1 id=${name}>${title}</h1>` : html`<h2 id=${name}><a href=${pageOf(id)}>${title}</a></h2>`}
        <p class="price" translate=${false}>${money(drop.price)}</p>
      </header>
      ${wide && phase === "soon" ? html`<${Clock} to=${Date.parse(drop.start_time)} id=${id} />` : html`<${Stock} drop=${drop} phase=${phase} />`}
      ${phase === "draw"
        ? html`<${Entering} drop=${drop} ask=${ask} Around=${view === "page" ? Guided : "div"} />`
        : html`${drop.sizes && html`<${view === "page" ? Guided : "div"}><${Sizes} drop=${drop} picked=${size} pick=${pick} line=${line} shut=${phase === "out" && !line} /><//>`}
            ${drop.draw && html`<${Entry} drop=${drop} />`}
            <${Places} drop=${drop} />
            <${Action} drop=${drop} phase=${phase} size=${size} ask=${ask} early=${early} unfold=${unfold} />`}
      ${wide && html`<${Buyers} drop=${drop} />`}
    </div>
    ${!wide && html`<${Buyers} drop=${drop} />`}
    ${children}
  </article>`;
}

const pageOf = (id) => `/drops/${id}`;

// useSteadyHeight keeps a large card at its height when its drop starts: what is below does not move under a finger.
function useSteadyHeight(phase, wanted) {
  const box = useRef();
  const height = useRef(0);
  useLayoutEffect(() => {
    if (!wanted || !box.current) return;
    if (phase === "soon") height.current = box.current.getBoundingClientRect().height;
    else if (height.current) box.current.style.minHeight = `${height.current}px`;
  });
  useEffect(() => {
    const turned = () => {
      height.current = 0;
      if (box.current) box.current.style.minHeight = "";
    };
    addEventListener("resize", turned);
    return () => removeEventListener("resize", turned);
  }, []);
  return box;
}

// usePhase has the card drawn anew at the moment when its drop starts or early access begins or ends, and not each
// second before.
function usePhase(drop) {
  const [, draw] = useReducer((n) => n + 1, 0);
  const phase = drop && phaseOf(drop);
  const next = drop ? Math.min(phase === "soon" ? Date.parse(drop.start_time) : Infinity, momentOf(drop)) : Infinity;
  useEffect(() => {
    if (next === Infinity) return undefined;
    let timer = 0;
    const look = () => {
      if (next - now() < 1100) timer ||= setTimeout(draw, Math.max(0, next - now() + 5));
    };
    look();
    const stop = everySecond(look);
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [phase, next]);
  useEffect(() => tell("phases"), [phase]);
  return phase;
}

function Badge({ drop, phase }) {
  if (phase === "draw") return html`<${DrawBadge} drop=${drop} />`;
  if (phase === "soon") return html`<p class="badge soon"><${Countdown} to=${Date.parse(drop.start_time)} id=${drop.id} /></p>`;
  const text = { open: t("card.on_sale"), out: t("card.sold_out"), paused: t("card.paused") }[phase];
  return html`<p class=${`badge ${phase}`}>${text}</p>`;
}

// Countdown counts on the server's clock, and has the card drawn anew when the time has come.
function Countdown({ to }) {
  useSeconds();
  const left = html`<span translate=${false}>${countdown(to - now())}</span>`;
  return html`<span role="timer" aria-label=${t("card.starts", { time: moment(to, now()) })}>${rich("card.starts_in", { countdown: left })}</span>`;
}

function Stock({ drop, phase }) {
  const left = drop.available_stock;
  const share = drop.total_stock > 0 ? left / drop.total_stock : 0;
  const few = phase === "open" && (left <= 3 || share <= 0.1);
  return html`<div class=${`stock${few ? " few" : ""}`}>
    <p><span>${rich("card.left", { n: html`<strong class="left" translate=${false}>${whole(left)}</strong>` }, { n: left, total: drop.total_stock })}</span></p>
    <div class="bar" aria-hidden="true"><div style=${{ transform: `scaleX(${share})` }}></div></div>
  </div>`;
}

const longLabel = 5; // characters: what is longer needs a wider cell. The server has the same rule.

function Sizes({ drop, picked, pick, line, shut }) {
  const group = `size-${drop.id}`;
  const long = drop.sizes.some((s) => [...s.size].length > longLabel);
  return html`<fieldset class=${`sizes${long ? " long" : ""}`} disabled=${shut}>
    <legend>${t("card.size")}</legend>
    ${drop.sizes.map(
      (s) => html`<label key=${s.size} class=${s.available_stock === 0 && !line ? "none" : picked === s.size ? "picked" : s.available_stock === 0 ? "none line" : ""}>
        <input type="radio" name=${group} value=${s.size} checked=${picked === s.size} disabled=${s.available_stock === 0 && !line} onChange=${() => pick(s.size)} />
        <span class="label" translate=${false}><bdi>${s.size}</bdi></span>
        <span class="count">${s.available_stock > 0 ? html`<span aria-hidden="true">${whole(s.available_stock)}</span><span class="sr">${t("card.size_left", { n: s.available_stock })}</span>` : html`<span aria-hidden="true">–</span><span class="sr">${t("card.size_sold_out")}</span>`}</span>
      </label>`,
    )}
  </fieldset>`;
}

// Guided is what chooses a size, with the way to the size guide where the page has one.
function Guided({ children }) {
  if (!sizeGuide) return html`<div>${children}</div>`;
  const summary = sizeGuide.querySelector("summary");
  const open = () => {
    sizeGuide.open = true;
    sizeGuide.scrollIntoView({ block: "center" });
    summary.focus({ preventScroll: true });
  };
  return html`<div class="guided">${children}<button type="button" class="guide" onClick=${open}>${summary.textContent}</button></div>`;
}

function Action({ drop, phase, size, ask, early, unfold }) {
  const asking = hands.asking.get(drop.id);
  const holding = holdsOf(drop.id).length;
  const purchases = boughtOf(drop.id);
  const bought = purchases.length;
  useEffect(() => onlyDrop && readPayments(drop.id), [bought]);
  const full = drop.limit_per_user && holding + bought >= drop.limit_per_user;
  const notice = hands.notices.get(drop.id);
  const told = early.asks && isOfCode(notice) ? null : notice; // the field says the rest
  const line = early.lets ? "" : lineOf(drop, size, notice);
  const open = (phase === "open" || early.lets || line === "join") && line !== "wait" && !full;
  const sizeless = open && drop.sizes && !size; // the button leads to the sizes
  const click = () => {
    if (open && !sizeless && !asking) ask(() => (line ? join(drop.id, size) : reserve(drop.id, size, early.asks ? codeOf(drop.id) : "")));
    else if (sizeless) document.querySelector(`#drop-${drop.id} .sizes input:enabled`)?.focus();
  };
  const known = { line, holding, bought, full };
  return html`${!full && html`<${Early} drop=${drop} early=${early} unfold=${unfold} go=${click} />`}<div class="action">
    <button class=${`primary${open && (sizeless || line) ? " choose" : open && holding > 0 ? " more" : ""}`} type="button" aria-disabled=${!open || asking !== undefined} aria-busy=${asking !== undefined} aria-describedby=${`drop-${drop.id}-name drop-${drop.id}-note`} onClick=${click}>
      ${asking ? (asking === "join" ? t("dialog.working") : t("card.reserving")) : labelOf(drop, early.lets ? "open" : phase, size, known)}
    </button>
    <p class=${`note${told ? " refused" : ""}`} id=${`drop-${drop.id}-note`} data-room=${drop.waitlist ? turnOf(drop) : t("card.hint_sold_out")}><span>${told ? explain(told) : hintOf(drop, early.lets ? "open" : phase, size, { ...known, refunded: refundedOf(purchases) })}</span></p>
  </div>`;
}

// lineOf says what the waitlist has for a buyer who wants a pair: "join" it, "wait" in it, or nothing ("").
function lineOf(drop, size = "", notice = null) {
  if (!hasStarted(drop)) return "";
  const left = size ? drop.sizes.find((s) => s.size === size).available_stock : drop.available_stock;
  const behind = notice?.code === "waitlist" && notice.of === size && !drop.draw; // the page has not heard of it yet
  if (!behind && (!drop.waitlist || left > 0)) return "";
  return placeOf(drop.id, size) ? "wait" : "join";
}

const turnOf = (drop) => t("card.hint_waitlist", { time: spoken((drop.offer_for ?? 600) * 1000) });

function labelOf(drop, phase, size, { line, holding, bought, full }) {
  if (full) return holding ? t("card.reserved") : t("card.purchased");
  if (phase === "soon") return t("card.starts", { time: moment(Date.parse(drop.start_time), now()) });
  if (line === "wait") return t("card.waiting");
  if (line) return size ? t("card.join_waitlist_size", { size }) : t("card.join_waitlist");
  if (phase === "paused") return t("card.paused");
  if (phase === "out") return t("card.sold_out");
  if (drop.sizes && !size) return t("card.select_size");
  if (holding + bought > 0) return size ? t("card.reserve_another_size", { size }) : t("card.reserve_another");
  return size ? t("card.reserve_size", { size }) : t("card.reserve");
}

// refundedOf is what was refunded of purchases, as far as the page knows; empty: nothing.
function refundedOf(purchases) {
  const paid = purchases.map((p) => p.payment).filter((p) => p?.refunded > 0);
  return paid.length > 0 ? amount(paid.reduce((sum, p) => sum + p.refunded, 0), paid[0].currency) : "";
}

function hintOf(drop, phase, size, { line, holding, bought, full, refunded }) {
  if (isChecked(drop.id)) return t("payment.checking");
  if (holding > 0) return t("card.hint_reserved");
  if (line === "wait" && !full) return `${t("wait.position", placeOf(drop.id, size))} · ${turnOf(drop)}`; // the list may be out of sight
  if (line && !full && bought === 0) return drop.sizes && !size ? t("card.hint_waitlist_size") : turnOf(drop);
  if (bought > 0) return t("card.hint_purchased", { n: bought }) + (refunded && ` ${t("card.hint_refunded", { amount: refunded })}`);
  if (phase === "out") return t("card.hint_sold_out");
  if (phase === "paused") return t("card.hint_paused");
  return drop.limit_per_user ? t("card.limit", { n: drop.limit_per_user }) : "";
}

function Buyers({ drop }) {
  useTopic("half-minute");
  if (drop.purchases.length === 0) return null;
  return html`<ul class="buyers" aria-label=${t("card.latest_buyers")}>
    ${drop.purchases.map(
      (p) => html`<li key=${p.id}><span class="initial" aria-hidden="true">${initialOf(p.username)}</span><span class="buyer"><bdi>${p.username}</bdi></span> <time datetime=${p.createdAt}>${ago(now() - Date.parse(p.createdAt))}</time></li>`,
    )}
  </ul>`;
}
