import { useEffect, useRef, useState } from "../vendor/preact.js";
import { html } from "../shared/html.js";
import { client, now } from "../shared/client.js";
import { amount, plural, spoken, whole } from "../shared/format.js";
import { say } from "../shared/say.js";
import { useSeconds } from "../shared/ticker.js";
import { explain } from "../shared/words.js";
import { room } from "./room.js";

// Audit reads all that is recorded of a drop, which takes as long as it takes: it shows for how long it has been at
// it, and can be stopped.
export function Audit({ drop }) {
  const [begun, begin] = useState(0); // when, while it runs
  const [report, put] = useState(null);
  const [refusal, refuse] = useState(null);
  const stop = useRef(null);
  useSeconds(begun > 0);
  useEffect(() => () => stop.current?.abort(), []);
  const run = async () => {
    if (begun) return;
    const controller = new AbortController();
    stop.current = controller;
    begin(now());
    put(null);
    refuse(null);
    try {
      const found = await client.audit({ id: drop.id }, { patience: Infinity, signal: controller.signal });
      put(found);
      if (found.clean) room.audits.delete(drop.id);
      else room.audits.set(drop.id, found);
      say(found.clean ? "The audit found no discrepancies." : "The audit found discrepancies.");
    } catch (r) {
      refuse(r);
    }
    begin(0);
  };
  return html`<p>An audit replays the ledger from its first entry. It compares the result with the counters, each reservation, each purchase, the waitlist and each payment, as of one moment.</p>
    <div class="buttons"><button type="button" class="primary" aria-disabled=${begun > 0} aria-busy=${begun > 0} onClick=${run}>${begun ? "Auditing…" : "Audit this drop"}</button>
      ${begun > 0 && html`<button type="button" class="quiet" onClick=${() => stop.current.abort()}>Stop</button>`}</div>
    ${begun > 0 && html`<p class="hint">Running for ${spoken(now() - begun)}. A large drop can take minutes.</p>`}
    ${refusal && html`<p class="problem" role="alert">${refusal.code === "overloaded" ? "Another audit is running. Try again when it is done." : explain(refusal)}</p>`}
    ${report && html`<${Verdict} report=${report} />`}`;
}

function Verdict({ report }) {
  return html`<div class=${`verdict ${report.clean ? "pass" : "fail"}`}>
    <h3>${report.clean ? "No discrepancies" : plural(report.differences, "discrepancy", "discrepancies")}</h3>
    <p>Checked ${plural(report.reservations, "reservation")}, ${plural(report.purchases, "purchase")}, ${plural(report.ledger_entries, "ledger entry", "ledger entries")}.</p>
    <p>${plural(report.held, "pair")} held, ${whole(report.paying)} of them being paid for. ${plural(report.written_off, "pair")} written off.</p>
    ${report.waitlist_entries > 0 && html`<p>${plural(report.waitlist_entries, "waitlist entry", "waitlist entries")}, ${whole(report.waiting)} of them waiting. ${plural(report.kept, "pair")} kept for those who wait.</p>`}
    ${report.payments > 0 && html`<p>${plural(report.payments, "payment")}. ${report.money.map((m) => `Buyers paid ${amount(m.captured, m.currency)}, and ${amount(m.refunded, m.currency)} of it was refunded. `)}</p>`}
    ${report.sentences.length > 0 && html`<ul>${report.sentences.map((s) => html`<li key=${s}>${s}</li>`)}</ul>`}
  </div>`;
}
