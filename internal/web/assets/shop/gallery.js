import { useRef, useState } from "../vendor/preact.js";
import { html } from "../shared/html.js";
import { t } from "../shared/messages.js";
import { Sneaker } from "../shared/sneaker.js";
import { back, forward } from "./icons.js";

const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
const leftward = () => document.documentElement.dir === "rtl";

// Gallery shows pictures one at a time: by swiping, by its arrows, its thumbnails, and the arrow keys.
export function Gallery({ pictures, name, seed, children }) {
  const [at, go] = useState(0);
  const track = useRef();
  const last = pictures.length - 1;
  const show = (i) => {
    const to = Math.min(last, Math.max(0, i));
    const { clientWidth } = track.current;
    track.current.scrollTo({ left: to * clientWidth * (leftward() ? -1 : 1), behavior: still() ? "instant" : "smooth" });
  };
  const scrolled = () => go(Math.round(Math.abs(track.current.scrollLeft) / track.current.clientWidth));
  const pressed = (e) => {
    const step = leftward() ? -1 : 1;
    const to = { ArrowRight: at + step, ArrowLeft: at - step, Home: 0, End: last }[e.key];
    if (to === undefined || e.altKey || e.ctrlKey || e.metaKey) return;
    e.preventDefault();
    show(to);
  };
  const many = last > 0;
  const arrow = (by, icon, label) => html`<button type="button" class=${`arrow ${by < 0 ? "before" : "after"}`} aria-label=${label} aria-disabled=${at + by < 0 || at + by > last} onClick=${() => show(at + by)}>${icon()}</button>`;
  return html`<div class="media" role="group" aria-label=${t("card.pictures", { name })} onKeyDown=${many ? pressed : undefined}>
    <div class="picture">
      <ul class="slides scrolls" ref=${track} tabindex=${many ? "0" : undefined} aria-label=${t("card.pictures", { name })} onScroll=${scrolled}>
        ${pictures.map((p, i) => html`<li key=${p.url}><${Slide} picture=${p} seed=${seed} first=${i === 0} /></li>`)}
      </ul>
      ${many && arrow(-1, back, t("card.previous_picture"))}
      ${many && arrow(1, forward, t("card.next_picture"))}
      ${children}
    </div>
    ${many && html`<ul class="thumbs">${pictures.map(
      (p, i) => html`<li key=${p.url}><button type="button" aria-current=${i === at ? "true" : undefined} aria-label=${t("card.show_picture", { number: i + 1, total: pictures.length })} onClick=${() => show(i)}><${Slide} picture=${{ url: p.url, alt: "" }} seed=${seed} /></button></li>`,
    )}</ul>`}
  </div>`;
}

// Slide is one picture; where it does not come, the drawing stands in.
export function Slide({ picture, seed, first = false }) {
  const [failed, fail] = useState(false);
  if (!picture.url || failed) return html`<${Sneaker} seed=${seed} />`;
  return html`<img src=${picture.url} alt=${picture.alt} loading=${first ? "eager" : "lazy"} decoding="async" width="800" height="600" referrerpolicy="no-referrer" onError=${() => fail(true)} />`;
}
