import { useEffect } from "../vendor/preact.js";
import { html } from "../shared/html.js";
import { client, now } from "../shared/client.js";
import { payments } from "../shared/config.js";
import { ago, money, plural, whole } from "../shared/format.js";
import { useTopic } from "../shared/topics.js";
import { useSeconds } from "../shared/ticker.js";
import { explain } from "../shared/words.js";
import { attention } from "./attention.js";
import { Create } from "./create.js";
import { openDialog } from "./modal.js";
import { Page } from "./page.js";
import { usePolled } from "./polled.js";
import { room } from "./room.js";
import { go } from "./routes.js";
import { kindOf, Shares, startOf, StartOf, State } from "./state.js";
import { lookToday, today } from "./today.js";
import { zoneName } from "./zones.js";

const few = 5; // rows of a list here; its own page has the others
const most = 200; // payments that are looked at, the oldest of those that wait

// Overview is the first page: how the shop does now, and what needs attention.
export function Overview() {
  useTopic("room");
  useTopic("today");
  useSeconds();
  useEffect(() => void lookToday()); // the figures come each second
  const create = html`<button type="button" class="primary" onClick=${() => openDialog(Create, { open: (id) => go(`drops/${id}`) })}>New drop</button>`;
  if (!room.figures) return html`<${Page} title="Overview" actions=${create}><p class="choose">${room.problem ? explain(room.problem) : "Loading…"}</p><//>`;
  const drops = room.figures.drops.filter((d) => !d.rehearsal);
  if (drops.length === 0) return html`<${Page} title="Overview" actions=${create}><p class="choose">No drops yet. Create your first one.</p><//>`;
  const live = drops.filter((d) => kindOf(d) === "live").sort((a, b) => startOf(b) - startOf(a));
  const next = drops.filter((d) => kindOf(d) === "upcoming").sort((a, b) => startOf(a) - startOf(b));
  return html`<${Page} title="Overview" actions=${create}>
    <${Tiles} live=${live} next=${next} />
    <div class="halves">
      <div>
        <${Attention} />
        <section class="block" aria-labelledby="live-title"><h2 id="live-title">Live drops</h2>
          ${live.length === 0 ? html`<p class="hint">No drop is on sale now.</p>` : html`<ul class="rows">${live.slice(0, few).map((d) => html`<li key=${d.id}><a href=${`#/drops/${d.id}`}>
            <span class="name"><bdi>${d.name}</bdi></span><${State} drop=${d} /><${Shares} drop=${d} />
            <span class="numbers">${whole(d.available)} on sale · ${whole(d.held)} held · ${whole(d.sold)} of ${whole(d.total)} sold</span></a></li>`)}</ul>`}
          ${live.length > few && html`<p><a href="#/drops?state=live">All ${whole(live.length)} live drops</a></p>`}
        </section>
      </div>
      <div>
        <section class="block" aria-labelledby="next-title"><h2 id="next-title">Next starts</h2>
          ${next.length === 0 ? html`<p class="hint">No drop is scheduled.</p>` : html`<ul class="rows">${next.slice(0, few).map((d) => html`<li key=${d.id}><a href=${`#/drops/${d.id}`}>
            <span class="name"><bdi>${d.name}</bdi></span><${State} drop=${d} /><span class="numbers"><${StartOf} drop=${d} zone=${false} /> · ${plural(d.total, "pair")}</span></a></li>`)}</ul>`}
          ${next.length > few && html`<p><a href="#/drops?state=upcoming&sort=start">All ${whole(next.length)} upcoming drops</a></p>`}
        </section>
        <${Best} drops=${drops} />
        <${Newest} drops=${drops} />
      </div>
    </div>
    <p class="hint">Your time zone: ${zoneName(now())}. Rehearsals do not count. Today's figures include pairs that were taken back later.</p>
  <//>`;
}

function Tiles({ live, next }) {
  const { answer, refusal } = today;
  const tile = (label, value, more) => html`<div class="tile"><dt>${label}</dt><dd>${value}${more && html` <small>${more}</small>`}</dd></div>`;
  const at = live.reduce((n, d) => n + d.available, 0);
  const held = live.reduce((n, d) => n + d.held, 0);
  return html`<dl class="tiles today">
      ${tile("Revenue today", answer ? money(answer.revenue) : "–", "since midnight, your time")}
      ${tile("Sold today", answer ? whole(answer.units) : "–", answer ? `in ${plural(answer.drops.length, "drop")}` : "")}
      ${tile("Live drops", whole(live.length), live.length ? `${whole(at)} on sale, ${whole(held)} held` : "none on sale")}
      ${tile("Upcoming", whole(next.length), next.length ? html`next: <${StartOf} drop=${next[0]} zone=${false} />` : "none scheduled")}
    </dl>
    ${refusal && html`<p class="problem" role="status">Today's figures could not be loaded. ${explain(refusal)}</p>`}`;
}

function Attention() {
  const { value } = usePolled(() => client.listWebhooks(), "", 10_000);
  const { value: waiting } = usePolled(() => payments && client.listPayments({ unsettled: true, limit: most }), "", 10_000);
  const found = attention(room, value?.webhooks, waiting?.payments);
  return html`<section class=${`block attention ${found.length > 0 ? "some" : ""}`} aria-labelledby="attention-title"><h2 id="attention-title">Needs attention</h2>
    ${found.length === 0 ? html`<p class="hint">Nothing. All drops and the service are fine.</p>` : html`<ul class="rows">${found.map((f, i) => html`<li key=${i} class=${f.bad ? "bad" : ""}><a href=${f.to}><span>${f.text}</span></a></li>`)}</ul>`}
  </section>`;
}

// Newest are the newest purchases of all drops except rehearsals.
function Newest({ drops }) {
  const real = new Set(drops.map((d) => d.id));
  const rows = today.newest.filter((p) => real.has(p.dropId)).slice(0, few);
  return html`<section class="block" aria-labelledby="newest-title"><h2 id="newest-title">Newest purchases</h2>
    ${rows.length === 0 ? html`<p class="hint">No purchases yet.</p>` : html`<ul class="rows">${rows.map((p) => html`<li key=${p.id}><a href=${`#/drops/${p.dropId}/purchases`}>
      <span class="name"><bdi>${p.username}</bdi></span><strong>${money(p.price)}</strong><span class="numbers"><bdi>${p.dropName}</bdi>${p.size ? html` · <bdi>${p.size}</bdi>` : ""} · ${ago(now() - Date.parse(p.createdAt))}${p.returned ? " · taken back" : ""}</span></a></li>`)}</ul>`}
    <p><a href="#/purchases">All purchases</a></p>
  </section>`;
}

// Best are the drops that sold the most today.
function Best({ drops }) {
  const best = [...(today.answer?.drops ?? [])].sort((a, b) => b.revenue - a.revenue).slice(0, few);
  const of = new Map(drops.map((d) => [d.id, d]));
  return html`<section class="block" aria-labelledby="best-title"><h2 id="best-title">Best sellers today</h2>
    ${best.length === 0 ? html`<p class="hint">Nothing sold today yet.</p>` : html`<ul class="rows">${best.filter((b) => of.has(b.dropId)).map((b) => html`<li key=${b.dropId}><a href=${`#/drops/${b.dropId}`}>
      <span class="name"><bdi>${of.get(b.dropId).name}</bdi></span><strong>${money(b.revenue)}</strong><span class="numbers">${plural(b.units, "pair")}</span></a></li>`)}</ul>`}
  </section>`;
}
