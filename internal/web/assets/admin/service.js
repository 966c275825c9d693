import { html } from "../shared/html.js";
import { whole } from "../shared/format.js";
import { useTopic } from "../shared/topics.js";
import { Page } from "./page.js";
import { between, percentile } from "./books.js";
import { room } from "./room.js";

const calls = { reserve: "Reserve a pair", purchase: "Purchase", list: "List drops", hold_return: "Expired hold back on sale" };

// What each refusal of a reserve means, and whether the operator has something to do.
const refusals = {
  out_of_stock: ["Sold out", "No pair was left. Normal in a drop that sells out."],
  not_started: ["Not started", "The drop had not started yet. Clients of their own may be too early."],
  paused: ["Paused", "You had paused the drop."],
  archived: ["Over", "The drop was archived."],
  waitlist: ["Waitlist", "Others waited for the size. The buyer can join its waitlist."],
  limit_reached: ["Limit reached", "The buyer already has as many pairs as one may have."],
  cooldown: ["Cooldown", "The buyer left too many holds unpaid and has to wait."],
  size_required: ["No size", "The request named no size. A client may be faulty."],
  size_not_found: ["Unknown size", "The drop does not come in that size. A client may be faulty."],
  overloaded: ["Overloaded", "Too many requests were queued. Add capacity if it goes on."],
  unavailable: ["Database unavailable", "The database did not answer in time. Check it."],
  outcome_unknown: ["Outcome unknown", "The connection to the database broke during a commit. Buyers can look up what happened."],
  idempotency_mismatch: ["Key used twice", "Two different requests had one Idempotency-Key. A client is faulty."],
  exhausted: ["No numbers left", "The drop has given out all its reservation numbers. Create a new drop."],
};

const took = (s) => (s === null ? "–" : s === Infinity ? "> 16 s" : s < 1 ? `${(s * 1000).toFixed(s < 0.01 ? 1 : 0)} ms` : `${s.toFixed(1)} s`);

// Service is what the server does as a whole. Times are of the last half minute where something happened in it, else
// of all since the start.
export function Service() {
  useTopic("room");
  const service = room.figures?.service;
  if (!room.figures) return html`<${Page} title="Service"><p class="choose">Loading…</p><//>`;
  const warnings = (room.figures.warnings || []).map((w) => html`<p class="problem" key=${w}>The database may lose sales: ${w}</p>`);
  if (!service) return html`<${Page} title="Service">${warnings}<p class="hint">This server shows its figures at <code>--metrics-addr</code> only.</p><//>`;
  const { watchers } = service;
  const tile = (label, value, more) => html`<div class="tile"><dt>${label}</dt><dd>${whole(value)} <small>${more}</small></dd></div>`;
  return html`<${Page} title="Service"><section class="service" aria-label="Service">
    ${warnings}
    <dl class="tiles">
      ${tile("Watching now", watchers.websocket + watchers.polling + watchers.streams, `${whole(watchers.websocket)} by WebSocket, ${whole(watchers.polling)} by polling, ${whole(watchers.streams)} by event stream`)}
      ${tile("Queued requests", service.queued, "wait for their drop's next commit")}
    </dl>
    <h2>Latency</h2>
    <${Timings} service=${service} />
    <h2>Refused reservations</h2>
    ${service.refusals.length === 0 ? html`<p class="hint">None since the server started.</p>` : html`<ul class="refusals">${[...service.refusals].sort((a, b) => b.count - a.count).map((r) => html`<li key=${r.code}><span>${refusals[r.code]?.[0] ?? r.code}</span><strong>${whole(r.count)}</strong><p class="hint">${refusals[r.code]?.[1]}</p></li>`)}</ul>
      <p class="hint">For all drops, since the server started.</p>`}
  </section><//>`;
}

function Timings({ service }) {
  const oldest = room.history[0]?.service?.timings || [];
  let since = false;
  const rows = service.timings.filter((t) => t.count > 0).map((t) => {
    const recent = between(oldest.find((o) => o.of === t.of), t);
    const shown = recent.count > 0 ? recent : t;
    since ||= shown === t;
    return html`<tr key=${t.of}><th scope="row">${calls[t.of]}</th><td>${took(percentile(shown, 0.5))}</td><td>${took(percentile(shown, 0.99))}</td><td>${whole(shown.count)}${shown === t ? " *" : ""}</td></tr>`;
  });
  if (rows.length === 0) return html`<p class="hint">No requests yet.</p>`;
  return html`<div class="scrolls figures" tabindex="0" role="region" aria-label="Latency"><table><thead><tr><th scope="col">Request</th><th scope="col">p50</th><th scope="col">p99</th><th scope="col">Requests</th></tr></thead><tbody>${rows}</tbody></table></div>
    <p class="hint">p50: half of the requests were faster. p99: 99 of 100 were faster. In the last 30 seconds${since ? "; * since the server started, because there were none in the last 30 seconds" : ""}.</p>`;
}
