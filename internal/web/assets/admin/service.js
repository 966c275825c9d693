import { html } from "../shared/html.js";
import { whole } from "../shared/format.js";
import { useTopic } from "../shared/topics.js";
import { Page } from "./page.js";
import { between, percentile } from "./books.js";
import { room } from "./room.js";

const calls = { reserve: "Reserve", purchase: "Purchase", list: "List", hold_return: "Hold back on sale" };
const refusals = {
  out_of_stock: "Out of stock", not_started: "Not started", paused: "Paused", archived: "Over", limit_reached: "Limit reached", cooldown: "Unpaid holds",
  size_required: "No size", size_not_found: "Wrong size", overloaded: "Overloaded", unavailable: "Out of reach", outcome_unknown: "Outcome unknown", idempotency_mismatch: "Key used twice",
};

const took = (s) => (s === null ? "–" : s === Infinity ? "> 16 s" : s < 1 ? `${(s * 1000).toFixed(s < 0.01 ? 1 : 0)} ms` : `${s.toFixed(1)} s`);

// Service is what the server does as a whole. Times are of the last half minute where something happened in it, else
// of all since the start.
export function Service() {
  useTopic("room");
  const service = room.figures?.service;
  if (!room.figures) return html`<${Page} title="Service"><p class="choose">Loading…</p><//>`;
  const warnings = (room.figures.warnings || []).map((w) => html`<p class="problem" key=${w}>The database may lose sales: ${w}</p>`);
  if (!service) return html`<${Page} title="Service">${warnings}<p class="hint">This server shows its figures at --metrics-addr only.</p><//>`;
  const { watchers } = service;
  const all = watchers.websocket + watchers.polling + watchers.streams;
  return html`<${Page} title="Service"><section class="service block" aria-label="Service">
    ${warnings}
    <dl class="tiles">
      <div class="tile"><dt>Watching now</dt><dd>${whole(all)}</dd></div>
      <div class="tile"><dt>Queued requests</dt><dd>${whole(service.queued)}</dd></div>
    </dl>
    <${Timings} service=${service} />
    <h2>Reserves refused</h2>
    ${service.refusals.length === 0 ? html`<p class="hint">None.</p>` : html`<ul class="refusals">${[...service.refusals].sort((a, b) => b.count - a.count).map((r) => html`<li key=${r.code}><span>${refusals[r.code] || r.code}</span><strong>${whole(r.count)}</strong></li>`)}</ul>`}
    <p class="hint">For all drops, since the server started.</p>
  </section><//>`;
}

function Timings({ service }) {
  const oldest = room.history[0]?.service?.timings || [];
  const rows = service.timings.filter((t) => t.count > 0).map((t) => {
    const recent = between(oldest.find((o) => o.of === t.of), t);
    const shown = recent.count > 0 ? recent : t;
    return html`<tr key=${t.of}><th scope="row">${calls[t.of]}</th><td>${took(percentile(shown, 0.5))}</td><td>${took(percentile(shown, 0.99))}</td><td>${whole(shown.count)}</td></tr>`;
  });
  if (rows.length === 0) return null;
  return html`<table><thead><tr><th scope="col">Latency</th><th scope="col">p50</th><th scope="col">p99</th><th scope="col">Requests</th></tr></thead><tbody>${rows}</tbody></table>`;
}
