import { html } from "../shared/html.js";
import { money, spoken, whole } from "../shared/format.js";
import { useTopic } from "../shared/topics.js";
import { conversion, rates, sellOut } from "./books.js";
import { room } from "./room.js";
import { revenueOf } from "./state.js";
import { Timeline } from "./timeline.js";

// Live is how a drop sells now, and how it sold.
export function Live({ drop }) {
  useTopic("story");
  useTopic("room");
  const story = room.story;
  const tile = (label, value, more) => html`<div class="tile"><dt>${label}</dt><dd>${value}${more && html` <small>${more}</small>`}</dd></div>`;
  if (!story) return html`<p class="choose">Reading the ledger…</p>`;
  const speed = rates(story);
  const share = conversion(story);
  const took = sellOut(story, Date.parse(drop.start_time));
  const seconds = (s) => (s < 10 ? `${s.toFixed(1)} s` : spoken(s * 1000));
  return html`
    <dl class="tiles">
      ${tile("On sale", whole(drop.available), `of ${whole(drop.total)}`)}
      ${tile("Held", whole(drop.held))}
      ${drop.waitlist && tile("Waiting", whole(drop.waiting))}
      ${tile("Sold", whole(drop.sold), `${money(revenueOf(drop))}${drop.returned > 0 ? `, ${whole(drop.returned)} taken back` : ""}`)}
      ${tile("Conversion", share === null ? "–" : `${Math.round(share * 100)} %`, `${whole(story.counts.expired)} expired, ${whole(story.counts.cancelled)} released`)}
      ${tile("Sold out in", took === null ? "–" : seconds(took))}
      ${tile("Peak sales per second", speed.peak ? whole(speed.peak) : "–")}
    </dl>
    ${story.at.length > 1 && html`<${Timeline} key=${drop.id} drop=${drop} story=${story} />`}
    ${drop.sizes.length > 0 && html`<${SizeTable} drop=${drop} />`}`;
}

export function SizeTable({ drop }) {
  return html`<div class="scrolls figures" tabindex="0" role="region" aria-label="Sizes"><table><thead><tr><th scope="col">Size</th><th scope="col">On sale</th><th scope="col">Held</th><th scope="col">Sold</th>${drop.waitlist && html`<th scope="col">Waiting</th>`}</tr></thead>
    <tbody>${drop.sizes.map((s) => html`<tr key=${s.size}><th scope="row"><bdi>${s.size}</bdi></th><td>${whole(s.available)}</td><td>${whole(s.held)}</td><td>${whole(s.sold)}</td>${drop.waitlist && html`<td>${whole(s.waiting)}</td>`}</tr>`)}</tbody></table></div>`;
}
