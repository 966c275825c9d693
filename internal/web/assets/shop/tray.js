import { useEffect, useLayoutEffect, useRef } from "../vendor/preact.js";
import { html } from "../shared/html.js";
import { payments } from "../shared/config.js";
import { countdown, money, spoken } from "../shared/format.js";
import { rich, t } from "../shared/messages.js";
import { say } from "../shared/say.js";
import { useSeconds } from "../shared/ticker.js";
import { useTopic } from "../shared/topics.js";
import { isolated } from "../shared/typed.js";
import { explain } from "../shared/words.js";
import { onlyDrop } from "./about.js";
import { catalog, nameOf } from "./catalog.js";
import { hasBegun, pay } from "./checkout.js";
import { Portrait } from "./gallery.js";
import { won } from "./draw.js";
import { buy, dismiss, giveBack, hands, ran, remaining } from "./hands.js";

const air = 8; // px between the tray and what it must not cover

// uncover scrolls on by as much as the tray covers of these elements, but none of them out of sight.
function uncover(tray, elements) {
  if (tray.offsetHeight === 0) return;
  const edge = tray.getBoundingClientRect().top - air;
  const covered = [...elements].map((e) => e.getBoundingClientRect()).filter((b) => b.height > 0 && b.bottom > edge && b.top < innerHeight);
  if (covered.length === 0) return;
  const by = Math.max(...covered.map((b) => b.bottom)) - edge;
  scrollBy({ top: Math.min(by, Math.max(0, Math.min(...covered.map((b) => b.top)) - air)), behavior: "instant" });
}

const focused = () => [document.activeElement].filter((e) => e?.closest("main"));

// Tray shows the buyer's holds. It stays in sight, and the page keeps room for it: scroll-padding keeps the focused
// element above it. When it appears or grows, the page scrolls so that it covers no reserve button.
export function Tray() {
  useTopic("list");
  useTopic("hands");
  const box = useRef();
  const holds = [...hands.holds.values()].sort((a, b) => Date.parse(a.expires_at) - Date.parse(b.expires_at));
  useEffect(() => {
    const resized = new ResizeObserver((entries) => {
      const { classList, style } = document.documentElement;
      style.setProperty("--tray", `${box.current.offsetHeight}px`);
      const tight = document.querySelector(".top").offsetHeight + box.current.offsetHeight > innerHeight * 0.45;
      const turn = () => classList.toggle("tight", tight);
      if (onlyDrop) requestAnimationFrame(turn); // the button then takes room in main, which is observed here
      else turn();
      const grown = entries.some((e) => e.target === box.current);
      uncover(box.current, grown ? document.querySelectorAll(".action button") : []);
      uncover(box.current, focused());
    });
    resized.observe(box.current);
    for (const other of ["main", ".top"]) resized.observe(document.querySelector(other));
    return () => resized.disconnect();
  }, []);
  useEffect(() => uncover(box.current, document.querySelectorAll(".action button")), [catalog.loaded]);
  return html`<section class="tray" ref=${box} aria-label=${t("hold.title")}>
    ${holds.map((h) => html`<${Hold} key=${h.id} hold=${h} />`)}
  </section>`;
}

function Hold({ hold }) {
  const counts = hold.phase !== "over";
  useSeconds(counts);
  const left = remaining(hold);
  const seconds = Math.ceil(left / 1000);
  const drop = catalog.drops.get(hold.dropId);
  const name = nameOf(hold.dropId);
  useEffect(() => {
    if (counts && seconds === 10) say(t("said.seconds_left", { n: seconds, drop: name }));
    if (counts && left <= 0) ran(hold);
  });
  const box = useFocusKept(hold);
  const title = useDecision(hold);
  if (!counts) return html`<${Over} box=${box} hold=${hold} name=${name} />`;
  const busy = hold.phase !== "held";
  return html`<div ref=${box} class=${`hold${seconds <= 10 ? " last" : ""}`} role="group" aria-label=${isolated(name)}>
    <${Ring} hold=${hold} left=${left} seconds=${seconds} />
    <${Portrait} id=${hold.dropId} />
    <div class="what">
      <h2 class="name" ref=${title} tabindex="-1" aria-describedby=${`hold-${hold.id}-more hold-${hold.id}-time`}><span class="caption">${t(won(hold) ? "draw.won" : hold.offer ? "hold.offer" : "hold.title")}</span> <bdi>${name}</bdi></h2>
      <p class="more" id=${`hold-${hold.id}-more`}>${hold.size ? `${t("hold.size", { size: hold.size })} · ` : ""}${drop ? isolated(money(drop.price)) : ""}</p>
    </div>
    <div class="buttons">
      <button type="button" class="primary" aria-disabled=${busy} aria-busy=${hold.phase === "buying"} onClick=${() => (payments ? pay : buy)(hold.id)}>${wordOf(hold)}</button>
      <button type="button" class="quiet" aria-disabled=${busy} onClick=${() => giveBack(hold.id)}>${releaseOf(hold)}</button>
    </div>
    ${hold.problem && html`<p class="problem">${explain(hold.problem)}</p>`}
  </div>`;
}

// wordOf is the word of a hold's first button.
function wordOf({ id, phase }) {
  if (phase === "buying") return payments ? t("dialog.working") : t("hold.purchasing");
  if (!payments) return t("hold.purchase");
  return hasBegun(id) ? t("hold.continue") : t("hold.pay");
}

// releaseOf is the word of the second.
function releaseOf({ phase, offer }) {
  if (phase === "giving") return offer ? t("dialog.working") : t("hold.releasing");
  return offer ? t("hold.decline") : t("hold.release");
}

// useDecision takes whoever has just reserved to the hold: the 60 seconds are for the decision. Screen readers read
// what gets the focus, so that nothing else announces it. It is the heading that gets it and not the button: a second
// press of Enter buys nothing.
function useDecision(hold) {
  const title = useRef();
  useEffect(() => {
    if (hands.fresh !== hold.id || !title.current) return;
    hands.fresh = 0;
    title.current.focus({ preventScroll: true });
    const [tray, box] = [title.current.closest(".tray"), title.current.closest(".hold")];
    tray.scrollTo({ top: box.offsetTop, behavior: "instant" }); // scrollIntoView would move the page as well
    uncover(tray, document.querySelectorAll(`#drop-${hold.dropId} .action button`));
  });
  return title;
}

// useFocusKept keeps the keyboard focus when the focused buttons of a hold disappear. It moves the focus to what
// replaces them, or to the drop's own button.
function useFocusKept(hold) {
  const box = useRef();
  const inside = box.current?.contains(document.activeElement);
  useEffect(() => {
    if (inside && !box.current.contains(document.activeElement)) box.current.querySelector("button")?.focus();
  });
  useLayoutEffect(() => () => box.current?.contains(document.activeElement) && setTimeout(focusDrop, 0, hold.dropId), []);
  return box;
}

// focusDrop goes to a drop's button, unless somebody is somewhere already.
export function focusDrop(id) {
  if (document.activeElement !== document.body) return;
  document.querySelector(`#drop-${id} .action button`)?.focus({ preventScroll: true });
  uncover(document.querySelector(".tray"), focused());
}

const around = 2 * Math.PI * 20;
const long = 100; // seconds that are written as minutes

function Ring({ hold, left, seconds }) {
  const share = Math.min(1, Math.max(0, (left - 1000) / (Date.parse(hold.expires_at) - Date.parse(hold.createdAt))));
  return html`<div class="ring" role="timer" id=${`hold-${hold.id}-time`} aria-label=${seconds < long ? t("hold.seconds_left", { n: seconds }) : t("hold.time_left", { time: spoken(left) })}>
    <svg viewBox="0 0 48 48" aria-hidden="true" focusable="false">
      <circle class="track" cx="24" cy="24" r="20" />
      <circle class="rest" cx="24" cy="24" r="20" stroke-dasharray=${around} style=${{ strokeDashoffset: String(around * (1 - share)) }} />
    </svg>
    <span aria-hidden="true" translate=${false} class=${seconds < long ? "" : "long"}>${seconds < long ? seconds : countdown(left)}</span>
  </div>`;
}

function Over({ box, hold, name }) {
  const drop = html`<bdi>${name}</bdi>`;
  const went = hold.offer ? rich("hold.over_hint_offer", { drop }) : hold.size ? rich("hold.over_hint_size", { drop, size: html`<bdi>${hold.size}</bdi>` }) : rich("hold.over_hint", { drop });
  return html`<div ref=${box} class="hold over" role="group" aria-label=${isolated(name)}>
    <div class="what">
      <p class="name">${t("hold.over")}</p>
      <p class="more">${went}</p>
    </div>
    <div class="buttons"><button type="button" class="quiet" onClick=${() => dismiss(hold.id)}>${t("hold.dismiss")}</button></div>
  </div>`;
}
