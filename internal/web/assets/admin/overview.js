import { html } from "../shared/html.js";
import { plural, whole } from "../shared/format.js";
import { useTopic } from "../shared/topics.js";
import { useSeconds } from "../shared/ticker.js";
import { explain } from "../shared/words.js";
import { Create } from "./forms.js";
import { openDialog } from "./modal.js";
import { Page } from "./page.js";
import { room } from "./room.js";
import { go } from "./routes.js";
import { isRehearsal, kindOf, Shares, startOf, StartOf, State } from "./state.js";

// Overview is the first page: how the shop does now, and what needs attention.
export function Overview() {
  useTopic("room");
  useSeconds();
  const create = html`<button type="button" class="primary" onClick=${() => openDialog(Create, { open: (id) => go(`drops/${id}`) })}>New drop</button>`;
  if (!room.figures) return html`<${Page} title="Overview" actions=${create}><p class="choose">${room.problem ? explain(room.problem) : "Loading…"}</p><//>`;
  const drops = room.figures.drops.filter((d) => !isRehearsal(d));
  if (drops.length === 0) return html`<${Page} title="Overview" actions=${create}><p class="choose">No drops yet. Create your first one.</p><//>`;
  const live = drops.filter((d) => kindOf(d) === "live");
  const next = drops.filter((d) => kindOf(d) === "upcoming").sort((a, b) => startOf(a) - startOf(b));
  return html`<${Page} title="Overview" actions=${create}>
    <section class="block" aria-labelledby="live-title"><h2 id="live-title">Live drops</h2>
      ${live.length === 0 ? html`<p class="hint">No drop is on sale.</p>` : html`<ul class="rows">${live.map((d) => html`<li key=${d.id}><a href=${`#/drops/${d.id}`}>
        <span class="name"><bdi>${d.name}</bdi></span><${State} drop=${d} /><${Shares} drop=${d} />
        <span class="numbers">${whole(d.available)} on sale · ${whole(d.held)} held · ${whole(d.sold)} sold</span></a></li>`)}</ul>`}
    </section>
    <section class="block" aria-labelledby="next-title"><h2 id="next-title">Next starts</h2>
      ${next.length === 0 ? html`<p class="hint">No drop is scheduled.</p>` : html`<ul class="rows">${next.slice(0, 5).map((d) => html`<li key=${d.id}><a href=${`#/drops/${d.id}`}>
        <span class="name"><bdi>${d.name}</bdi></span><${State} drop=${d} /><span class="numbers"><${StartOf} drop=${d} /> · ${plural(d.total, "pair")}</span></a></li>`)}</ul>`}
    </section>
  <//>`;
}
