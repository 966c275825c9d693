import { useEffect, useRef, useState } from "../vendor/preact.js";
import { html } from "../shared/html.js";
import { Dialog } from "../shared/dialog.js";
import { imageOf } from "../shared/image.js";
import { t } from "../shared/messages.js";
import { Sneaker } from "../shared/sneaker.js";
import { catalog } from "./catalog.js";
import { back, cross, enlarge, forward } from "./icons.js";

const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
const leftward = () => document.documentElement.dir === "rtl";

// useTrack is a row of pictures of which one is seen at a time: by swiping, by show, and by the arrow keys.
function useTrack(length, first = 0) {
  const [at, go] = useState(first);
  const track = useRef();
  const last = length - 1;
  const show = (i, behavior = still() ? "instant" : "smooth") => {
    const to = Math.min(last, Math.max(0, i));
    const { clientWidth } = track.current;
    track.current.scrollTo({ left: to * clientWidth * (leftward() ? -1 : 1), behavior });
    if (behavior === "instant") go(to); // the event comes a frame later
  };
  // The event may come when the row is no longer shown.
  const onScroll = ({ currentTarget: { clientWidth, scrollLeft } }) => clientWidth > 0 && go(Math.round(Math.abs(scrollLeft) / clientWidth));
  const onKeyDown = (e) => {
    const step = leftward() ? -1 : 1;
    const to = { ArrowRight: at + step, ArrowLeft: at - step, Home: 0, End: last }[e.key];
    if (to === undefined || e.altKey || e.ctrlKey || e.metaKey || last < 1) return;
    e.preventDefault();
    show(to);
  };
  return { at, last, track, show, onScroll, onKeyDown };
}

function Arrow({ row, by }) {
  const to = row.at + by;
  const [icon, label] = by < 0 ? [back, t("card.previous_picture")] : [forward, t("card.next_picture")];
  return html`<button type="button" class=${`arrow ${by < 0 ? "before" : "after"}`} aria-label=${label} aria-disabled=${to < 0 || to > row.last} onClick=${() => row.show(to)}>${icon()}</button>`;
}

// Gallery shows pictures one at a time, and each of them large.
export function Gallery({ pictures, name, seed, children }) {
  const row = useTrack(pictures.length);
  const [large, enlarged] = useState(null);
  const many = row.last > 0;
  const real = pictures.some((p) => p.url); // there is more to see than the drawing
  const open = () => real && enlarged(row.at);
  const close = (at) => {
    row.show(at, "instant");
    enlarged(null);
  };
  return html`<div class="media" role="group" aria-label=${t("card.pictures", { name })} onKeyDown=${row.onKeyDown}>
      <div class="picture">
        <ul class=${`slides scrolls${real ? " real" : ""}`} ref=${row.track} tabindex=${many ? "0" : undefined} aria-label=${t("card.pictures", { name })} onScroll=${row.onScroll} onClick=${open}>
          ${pictures.map((p, i) => html`<li key=${p.url}><${Slide} picture=${p} seed=${seed} first=${i === 0} /></li>`)}
        </ul>
        ${many && html`<${Arrow} row=${row} by=${-1} />`}
        ${many && html`<${Arrow} row=${row} by=${1} />`}
        ${real && html`<button type="button" class="arrow enlarge" aria-label=${t("card.enlarge_picture")} aria-haspopup="dialog" onClick=${open}>${enlarge()}</button>`}
        ${children}
      </div>
      ${many && html`<ul class="thumbs">${pictures.map(
        (p, i) => html`<li key=${p.url}><button type="button" aria-current=${i === row.at ? "true" : undefined} aria-label=${t("card.show_picture", { number: i + 1, total: pictures.length })} onClick=${() => row.show(i)}><${Slide} picture=${{ url: p.url, alt: "" }} seed=${seed} /></button></li>`,
      )}</ul>`}
    </div>
    ${real && html`<${Large} pictures=${pictures} name=${name} seed=${seed} at=${large} close=${close} />`}`;
}

// Large shows the pictures over the whole window, beginning with the one of number at; null closes it. close is told
// which one was seen last.
function Large({ at, close, ...rest }) {
  const seen = useRef(0);
  return html`<${Dialog} open=${at !== null} kind="large" title="large-title" close=${() => close(seen.current)}>
    <${LargeRow} ...${rest} at=${at} seen=${seen} close=${() => close(seen.current)} />
  <//>`;
}

function LargeRow({ pictures, name, seed, at, seen, close }) {
  const row = useTrack(pictures.length, at);
  const many = row.last > 0;
  seen.current = row.at;
  useEffect(() => row.show(at, "instant"), []); // once the dialog is open: before, nothing has a size
  return html`<div onKeyDown=${row.onKeyDown}>
    <h2 class="sr" id="large-title">${t("card.pictures", { name })}</h2>
    <button type="button" class="arrow close" aria-label=${t("dialog.close")} onClick=${close}>${cross()}</button>
    <ul class="slides scrolls" ref=${row.track} tabindex=${many ? "0" : undefined} aria-label=${t("card.pictures", { name })} onScroll=${row.onScroll}>
      ${pictures.map((p) => html`<li key=${p.url}><${Slide} picture=${p} seed=${seed} /></li>`)}
    </ul>
    ${many && html`<${Arrow} row=${row} by=${-1} />`}
    ${many && html`<${Arrow} row=${row} by=${1} />`}
    ${many && html`<p class="number" role="status"><bdi>${t("card.picture_at", { number: row.at + 1, total: pictures.length })}</bdi></p>`}
  </div>`;
}

// Slide is one picture; where it does not come, the drawing stands in.
export function Slide({ picture, seed, first = false }) {
  const [failed, fail] = useState(false);
  if (!picture.url || failed) return html`<${Sneaker} seed=${seed} />`;
  return html`<img src=${picture.url} alt=${picture.alt} loading=${first ? "eager" : "lazy"} decoding="async" width="800" height="600" referrerpolicy="no-referrer" onError=${() => fail(true)} />`;
}

// Portrait is a drop's picture beside its name, small.
export function Portrait({ id }) {
  const url = imageOf(catalog.drops.get(id)?.image_url || "");
  return html`<div class="portrait" aria-hidden="true"><${Slide} key=${url} picture=${{ url, alt: "" }} seed=${id} /></div>`;
}
