import { useEffect, useRef } from "../vendor/preact.js";
import { html } from "../shared/html.js";
import { now } from "../shared/client.js";
import { money, plural, whole } from "../shared/format.js";
import { useTopic } from "../shared/topics.js";
import { useSeconds } from "../shared/ticker.js";
import { explain } from "../shared/words.js";
import { Create } from "./create.js";
import { Drop } from "./drop.js";
import { openDialog } from "./modal.js";
import { Page } from "./page.js";
import { room } from "./room.js";
import { change, go } from "./routes.js";
import { kindOf, revenueOf, Shares, startOf, StartOf, State } from "./state.js";
import { zoneName } from "./zones.js";

const size = 25; // drops on a page

const filters = {
  "": { label: "All except archived", has: (kind) => kind !== "archived" },
  live: { label: "On sale", has: (kind) => kind === "live" },
  upcoming: { label: "Upcoming", has: (kind) => kind === "upcoming" },
  out: { label: "Sold out", has: (kind) => kind === "out" },
  paused: { label: "Paused", has: (kind) => kind === "paused" },
  draft: { label: "Drafts", has: (kind) => kind === "draft" },
  hidden: { label: "Hidden", has: (kind) => kind === "hidden" },
  archived: { label: "Archived", has: (kind) => kind === "archived" },
  all: { label: "All", has: () => true },
};

const orders = {
  "": { label: "Newest first", by: (a, b) => b.id - a.id },
  start: { label: "Start, latest first", by: (a, b) => startOf(b) - startOf(a) },
  name: { label: "Name", by: (a, b) => a.name.localeCompare(b.name) },
  sold: { label: "Most sold", by: (a, b) => b.sold - a.sold },
  revenue: { label: "Most revenue", by: (a, b) => revenueOf(b) - revenueOf(a) },
};

// Drops is the list of drops, or the page of one.
export function Drops({ parts, query }) {
  if (parts.length > 0) return html`<${Drop} id=${Number(parts[0])} view=${parts[1] ?? ""} />`;
  return html`<${List} query=${query} />`;
}

const of = (table, name) => table[Object.keys(table).includes(name) ? name : ""];
const matches = (drop, q) => drop.name.toLowerCase().includes(q.toLowerCase()) || String(drop.id) === q.replace(/^#/, "");

function List({ query }) {
  useTopic("room");
  useSeconds();
  const field = useRef();
  const timer = useRef(0);
  useEffect(() => () => clearTimeout(timer.current), []);
  const create = html`<button type="button" class="primary" onClick=${() => openDialog(Create, { open: (id) => go(`drops/${id}`) })}>New drop</button>`;
  if (!room.figures) return html`<${Page} title="Drops" actions=${create}><p class="choose">${room.problem ? explain(room.problem) : "Loading…"}</p><//>`;
  const [q, state, sort] = [query.get("q")?.trim() ?? "", query.get("state") ?? "", query.get("sort") ?? ""];
  const filter = of(filters, state);
  const order = of(orders, sort);
  const all = room.figures.drops.filter((d) => !d.rehearsal);
  const found = all.filter((d) => filter.has(kindOf(d)) && (q === "" || matches(d, q))).sort((a, b) => order.by(a, b) || b.id - a.id);
  const pages = Math.max(1, Math.ceil(found.length / size));
  const page = Math.min(pages, Math.max(1, Math.floor(Number(query.get("page"))) || 1));
  const rows = found.slice((page - 1) * size, page * size);
  const search = () => {
    clearTimeout(timer.current);
    change({ q: field.current.value, page: "" });
  };
  const typed = () => {
    clearTimeout(timer.current);
    timer.current = setTimeout(search, 200);
  };
  const choice = (name, label, value, options) => html`<div class="field"><label for=${`drops-${name}`}>${label}</label>
    <select id=${`drops-${name}`} value=${value} onChange=${(e) => change({ [name]: e.target.value, page: "" })}>${Object.entries(options).map(([key, o]) => html`<option key=${key} value=${key} selected=${key === value}>${o.label}</option>`)}</select></div>`;
  if (all.length === 0) return html`<${Page} title="Drops" actions=${create}><p class="choose">No drops yet. Create your first one.</p><//>`;
  return html`<${Page} title="Drops" actions=${create}>
    <form class="filters" role="search" onSubmit=${(e) => (e.preventDefault(), search())}>
      <div class="field"><label for="drops-q">Search</label><input id="drops-q" ref=${field} type="search" placeholder="Name or number" defaultValue=${q} maxlength="200" autocomplete="off" spellcheck="false" onInput=${typed} /></div>
      ${choice("state", "State", state, filters)}
      ${choice("sort", "Sort by", sort, orders)}
    </form>
    <p class="hint" role="status">${plural(found.length, "drop")}${q ? ` for “${q}”` : ""}${pages > 1 ? `, page ${whole(page)} of ${whole(pages)}` : ""}</p>
    ${rows.length === 0 ? html`<p class="choose">No drop matches. <button type="button" class="quiet" onClick=${() => (field.current.value = "", change({ q: "", state: "", page: "" }))}>Show all drops</button></p>` : html`<${Table} drops=${rows} /><p class="hint">Your time zone: ${zoneName(now())}.</p>`}
    ${pages > 1 && html`<nav class="paging" aria-label="Pages">
      <button type="button" class="quiet" aria-disabled=${page === 1} onClick=${() => page > 1 && change({ page: page - 1 === 1 ? "" : page - 1 })}>Previous</button>
      <span>${whole(page)} of ${whole(pages)}</span>
      <button type="button" class="quiet" aria-disabled=${page === pages} onClick=${() => page < pages && change({ page: page + 1 })}>Next</button>
    </nav>`}
  <//>`;
}

// Table is one of rows that become cards where there is no room for columns: each cell names its column.
function Table({ drops }) {
  return html`<table class="cards list">
    <thead><tr><th scope="col">Drop</th><th scope="col">State</th><th scope="col">Start</th><th scope="col">Stock</th><th scope="col" class="number">Sold</th><th scope="col" class="number">Revenue</th></tr></thead>
    <tbody>${drops.map((d) => html`<tr key=${d.id}>
      <th scope="row"><a href=${`#/drops/${d.id}`}><bdi>${d.name}</bdi></a> <small>Drop ${d.id}</small></th>
      <td data-label="State"><${State} drop=${d} /></td>
      <td data-label="Start" class="start-at"><${StartOf} drop=${d} zone=${false} /></td>
      <td data-label="Stock"><div class="stock"><${Shares} drop=${d} /><span class="numbers">${whole(d.available)} on sale · ${whole(d.held)} held</span></div></td>
      <td data-label="Sold" class="number"><span>${whole(d.sold)}${d.returned > 0 && html`<small>${whole(d.returned)} taken back</small>`}</span></td>
      <td data-label="Revenue" class="number">${money(revenueOf(d))}</td>
    </tr>`)}</tbody></table>`;
}
