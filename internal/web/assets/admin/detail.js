import { useState } from "../vendor/preact.js";
import { html } from "../shared/html.js";
import { money, plural, spoken, whole } from "../shared/format.js";
import { client, now } from "../shared/client.js";
import { say } from "../shared/say.js";
import { useTopic } from "../shared/topics.js";
import { explain } from "../shared/words.js";
import { Audit } from "./audit.js";
import { conversion, drawn, rates, sellOut } from "./books.js";
import { Chart } from "./chart.js";
import { sells } from "./confirm.js";
import { Rehearsal } from "./rehearsal.js";
import { refresh, room } from "./room.js";
import { StartOf, stateOf } from "./state.js";
import { Ledger, Purchases } from "./tables.js";

const tabs = { live: "Live", ledger: "Ledger", purchases: "Purchases", audit: "Audit", rehearsal: "Rehearsal" };

// Detail is one drop as an operator sees it.
export function Detail({ drop, show }) {
  const [tab, choose] = useState("live");
  const [state, said] = stateOf(drop);
  return html`<article class="detail" aria-labelledby="drop-name">
    <a class="back" href="#/">All drops</a>
    <header>
      <div><h2 id="drop-name"><bdi>${drop.name}</bdi></h2>
        <p class="facts">Drop ${drop.id} · ${money(drop.price)} · ${Date.parse(drop.start_time) > now() ? "starts" : "started"} <${StartOf} drop=${drop} />${drop.limit_per_user ? ` · ${plural(drop.limit_per_user, "pair")} a person` : ""}</p></div>
      <p class=${`state ${state}`}>${said}</p>
    </header>
    <${Actions} drop=${drop} show=${show} />
    <div class="tabs" role="tablist" aria-label="Views of the drop" onKeyDown=${(e) => arrows(e, tab, choose)}>
      ${Object.entries(tabs).map(([name, label]) => html`<button key=${name} type="button" role="tab" id=${`tab-${name}`} aria-selected=${tab === name} aria-controls="panel" tabindex=${tab === name ? 0 : -1} onClick=${() => choose(name)}>${label}</button>`)}
    </div>
    <section class="panel" id="panel" role="tabpanel" aria-labelledby=${`tab-${tab}`} tabindex="0">
      ${tab === "live" && html`<${LiveView} drop=${drop} />`}
      ${tab === "ledger" && html`<${Ledger} />`}
      ${tab === "purchases" && html`<${Purchases} drop=${drop} />`}
      ${tab === "audit" && html`<${Audit} drop=${drop} />`}
      ${tab === "rehearsal" && html`<${Rehearsal} drop=${drop} />`}
    </section>
  </article>`;
}

function arrows(e, tab, choose) {
  const names = Object.keys(tabs);
  const step = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
  if (!step) return;
  const to = names[(names.indexOf(tab) + step + names.length) % names.length];
  choose(to);
  document.getElementById(`tab-${to}`).focus();
}

function Actions({ drop, show }) {
  const [busy, work] = useState("");
  const [refusal, refuse] = useState(null);
  const act = async (name, done, call, change) => {
    if (busy) return;
    work(name);
    refuse(null);
    try {
      await client[call]({ id: drop.id, ...change });
      await refresh();
      say(done);
    } catch (r) {
      refuse(r);
    }
    work("");
  };
  const button = (name, label, click) => html`<button type="button" class="quiet" aria-disabled=${busy !== ""} aria-busy=${busy === name} onClick=${click}>${label}</button>`;
  // ask has what would stop a drop that sells confirmed first.
  const ask = (what, go) => (sells(drop) && !busy ? show({ confirm: what, go }) : go());
  const edit = (change, done) => act(Object.keys(change)[0], done, "editDrop", change);
  return html`<div class="actions">
    ${!drop.archived && (drop.paused ? button("pause", "Resume", () => act("pause", "Resumed.", "resume")) : button("pause", "Pause", () => ask("pause", () => act("pause", "Paused.", "pause"))))}
    ${!drop.archived && button("restock", "Restock", () => show("restock"))}
    ${button("edit", "Edit", () => show("edit"))}
    ${drop.hidden ? button("hidden", "Show", () => edit({ hidden: false }, "Shown.")) : button("hidden", "Hide", () => ask("hidden", () => edit({ hidden: true }, "Hidden.")))}
    ${drop.archived ? button("archived", "Unarchive", () => edit({ archived: false }, "Unarchived.")) : button("archived", "Archive", () => ask("archived", () => edit({ archived: true }, "Archived.")))}
    ${refusal && html`<p class="problem" role="alert">${explain(refusal)}</p>`}
  </div>`;
}

const lines = [{ name: "On sale", color: "available" }, { name: "Held", color: "held" }, { name: "Sold", color: "sold" }];
const sales = [{ name: "Sold a second", color: "sold" }];

function LiveView({ drop }) {
  useTopic("story");
  useTopic("room");
  const story = room.story;
  const tile = (label, value, more) => html`<div class="tile"><dt>${label}</dt><dd>${value}${more && html` <small>${more}</small>`}</dd></div>`;
  if (!story) return html`<p class="choose">Reading the ledger …</p>`;
  const speed = rates(story);
  const share = conversion(story);
  const took = sellOut(story, Date.parse(drop.start_time));
  const seconds = (s) => (s < 10 ? `${s.toFixed(1)} s` : spoken(s * 1000));
  return html`
    <dl class="tiles">
      ${tile("On sale", whole(drop.available), `of ${whole(drop.total)}`)}
      ${tile("Held", whole(drop.held))}
      ${tile("Sold", whole(drop.sold), money(drop.sold * drop.price))}
      ${tile("Holds paid", share === null ? "–" : `${Math.round(share * 100)} %`, `${whole(story.counts.expired)} ran out, ${whole(story.counts.cancelled)} given back`)}
      ${tile("All taken after", took === null ? "–" : seconds(took))}
      ${tile("Best second", speed.peak ? `${whole(speed.peak)} sold` : "–")}
    </dl>
    ${story.at.length > 1 && html`<${Chart} key=${`units ${drop.id}`} data=${drawn(story, now() / 1000)} series=${lines}
      label=${`Units over time: now ${drop.available} on sale, ${drop.held} held, ${drop.sold} sold`} />`}
    ${speed.at.length > 0 && html`<${Chart} key=${`rate ${drop.id}`} data=${[speed.at, speed.sold]} series=${sales} height=${140} step label=${`Units sold a second: ${speed.peak} in the best second`} />`}
    ${drop.sizes.length > 0 && html`<${SizeTable} drop=${drop} />`}`;
}

function SizeTable({ drop }) {
  return html`<div class="scrolls" tabindex="0" role="region" aria-label="Sizes"><table><thead><tr><th scope="col">Size</th><th scope="col">On sale</th><th scope="col">Held</th><th scope="col">Sold</th></tr></thead>
    <tbody>${drop.sizes.map((s) => html`<tr key=${s.size}><th scope="row"><bdi>${s.size}</bdi></th><td>${whole(s.available)}</td><td>${whole(s.held)}</td><td>${whole(s.sold)}</td></tr>`)}</tbody></table></div>`;
}
