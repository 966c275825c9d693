import { useEffect, useRef, useState } from "../vendor/preact.js";
import { html } from "../shared/html.js";
import { client } from "../shared/client.js";
import { payments } from "../shared/config.js";
import { plural, whole } from "../shared/format.js";
import { say } from "../shared/say.js";
import { explain } from "../shared/words.js";

// useRehearsals asks how the rehearsals go, as long as the page is open. state is "elsewhere" where this server cannot
// rehearse.
export function useRehearsals() {
  const [state, put] = useState(null);
  const [lost, lose] = useState(null); // why the state is not known
  useEffect(() => {
    let stopped = false;
    let was = false;
    let timer = 0;
    const look = async () => {
      try {
        const now = await client.rehearsal();
        if (stopped) return;
        put(now);
        lose(null);
        if (was && !now.running) say(now.result?.pass ? "The rehearsal passed." : "The rehearsal did not pass.");
        was = now.running;
      } catch (r) {
        if (stopped) return;
        if (r.code === "route_not_found") return put("elsewhere");
        lose(r);
      }
      timer = setTimeout(look, 700);
    };
    look();
    return () => {
      stopped = true;
      clearTimeout(timer);
    };
  }, []);
  return { state, put, lost };
}

// OneRehearsal is the view of a drop's page.
export function OneRehearsal({ drop }) {
  return html`<${Rehearsal} drop=${drop} rehearsals=${useRehearsals()} />`;
}

// Rehearsal plays a drop's first minutes with a hidden copy of it, and shows how that goes.
export function Rehearsal({ drop, rehearsals }) {
  const { state, put, lost } = rehearsals;
  const [refusal, refuse] = useState(null);
  const [busy, work] = useState(false);
  const buyers = useRef();
  const running = state?.running;
  const begin = async (e) => {
    e.preventDefault();
    if (busy || running) return;
    work(true);
    refuse(null);
    try {
      put(await client.rehearse({ dropId: drop.id, buyers: Number(buyers.current.value) || 0 }));
      say("The rehearsal has started.");
    } catch (r) {
      refuse(r);
    }
    work(false);
  };
  if (state === "elsewhere") {
    return html`<p>Buyers need tokens that this server cannot make. Rehearse from the command line: <code>sneakerdrop rehearse --help</code>.</p>`;
  }
  return html`<p>A rehearsal makes a hidden copy of the drop and sends simulated buyers to it. Some come early, click twice, lose their connection, change their minds or never pay.
      At the end you see how it went, and the copy is archived. You cannot rehearse while a drop is on sale or starts within 10 minutes.${payments && " No money moves: simulated buyers purchase without paying, so the checkout is not rehearsed."}</p>
    <form class="begin" onSubmit=${begin}>
      <div class="field"><label for="buyers">Buyers</label><input id="buyers" ref=${buyers} type="number" min="1" max="20000" step="1" defaultValue="1000" required /></div>
      <button type="submit" class="primary" aria-disabled=${busy || running === true} aria-busy=${running === true}>${running ? "Rehearsing…" : "Rehearse"}</button>
    </form>
    ${refusal && html`<p class="problem" role="alert">${explain(refusal)}</p>`}
    ${lost && html`<p class="problem" role="status">${explain(lost)} Retrying…</p>`}
    ${running && html`<${Progress} state=${state} />`}
    ${!running && state?.failure && html`<p class="problem" role="alert">The rehearsal has no result: ${state.failure}</p>`}
    ${!running && state?.result && html`<${Verdict} result=${state.result} />`}`;
}

function Progress({ state }) {
  return html`<dl class="tiles">
    <div class="tile"><dt>${state.phase || "Starting"}</dt><dd>${Math.round(state.elapsed_ms / 1000)} s</dd></div>
    <div class="tile"><dt>Reserved</dt><dd>${whole(state.reserved)}</dd></div>
    <div class="tile"><dt>Sold</dt><dd>${whole(state.sold)}</dd></div>
    <div class="tile"><dt>Refused</dt><dd>${whole(state.refused)}</dd></div>
  </dl>`;
}

const ms = (n) => (n < 10 ? `${n.toFixed(1)} ms` : n < 1000 ? `${Math.round(n)} ms` : `${(n / 1000).toFixed(1)} s`);

function Verdict({ result }) {
  const row = (name, t) => t.count > 0 && html`<tr><th scope="row">${name}</th><td>${ms(t.p50)}</td><td>${ms(t.p99)}</td><td>${ms(t.max)}</td><td>${whole(t.count)}</td></tr>`;
  return html`<div class=${`verdict ${result.pass ? "pass" : "fail"}`}>
      <h3>${result.pass ? "PASS" : "FAIL"}</h3>
      <p>Drop ${result.drop} with ${plural(result.buyers, "buyer")}: ${result.sell_out ? `all ${plural(result.units, "pair")} taken within ${ms(result.sell_out)}` : `not all of ${plural(result.units, "pair")} were taken`}; ${whole(result.sold)} sold, ${plural(result.unpaid, "hold")} left unpaid, ${whole(result.returned)} released.</p>
      ${result.waitlist && html`<p>Waitlist: ${whole(result.waitlist.joined)} joined, ${whole(result.waitlist.left)} left, ${whole(result.waitlist.skipped)} skipped; ${plural(result.waitlist.offered, "offer")}: ${whole(result.waitlist.bought)} bought, ${whole(result.waitlist.declined)} declined, ${whole(result.waitlist.expired)} expired.</p>`}
      ${result.faults.length > 0 && html`<ul>${result.faults.map((f) => html`<li key=${f}>${f}</li>`)}</ul>`}
    </div>
    <div class="scrolls figures" tabindex="0" role="region" aria-label="Latency"><table><thead><tr><th scope="col">Latency</th><th scope="col">p50</th><th scope="col">p99</th><th scope="col">Max</th><th scope="col">Requests</th></tr></thead>
      <tbody>${row("Reserve", result.reserve)}${row("Purchase", result.purchase)}${row("Expired hold available again", result.return)}</tbody></table></div>
    <p class="hint">Refused: ${Object.entries(result.refused).map(([code, n]) => `${whole(n)} ${code.replaceAll("_", " ")}`).join(", ") || "none"}. ${plural(result.watchers, "watcher")}. Audited: ${result.books}.</p>`;
}
