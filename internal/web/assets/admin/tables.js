import { useEffect, useState } from "../vendor/preact.js";
import { html } from "../shared/html.js";
import { call, get } from "../shared/api.js";
import { now } from "../shared/clock.js";
import { plural, precise, whole } from "../shared/format.js";
import { say } from "../shared/say.js";
import { useTopic } from "../shared/topics.js";
import { explain } from "../shared/words.js";
import { PurchaseList } from "./purchases.js";
import { readLedger, room } from "./room.js";
import { Table } from "./table.js";
import { zoneName } from "./zones.js";

const reasons = {
  created: "Created", restocked: "Restocked", reserved: "Reserved", purchased: "Sold", reservation_expired: "Ran out", reservation_cancelled: "Given back",
};

// Ledger is read on every few seconds while it is open and the drop changes.
export function Ledger() {
  useTopic("story");
  useEffect(() => {
    readLedger();
  }, []);
  if (!room.story) return html`<p class="choose">Reading …</p>`;
  const rows = room.ledger.map((e) => html`<tr key=${e.seq}><td>${e.seq}</td><td>${precise(Date.parse(e.at))}</td><td><span class=${`reason ${e.reason}`}>${reasons[e.reason] || e.reason}</span></td><td><bdi>${e.size ?? "–"}</bdi></td><td>${whole(e.units)}</td><td>${whole(e.available)}</td></tr>`);
  return html`<${Table} label="Ledger, newest first" head=${["No.", "At", "What", "Size", "Pairs", "On sale after"]} rows=${rows}><p class="hint">The newest ${plural(room.ledger.length, "entry", "entries")} of ${whole(room.story.seq)}. Your time zone: ${zoneName(now())}.</p><//>`;
}

export function Purchases({ drop }) {
  const [refusal, refuse] = useState(null);
  const download = async (format) => {
    try {
      const { answer } = await call("GET", `/api/drops/${drop.id}/purchases?format=${format}&bom=1`, { file: true });
      const link = document.createElement("a");
      link.href = URL.createObjectURL(answer);
      link.download = `drop-${drop.id}-purchases.${format}`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
      say("The file is downloaded.");
    } catch (r) {
      refuse(r);
    }
  };
  return html`<div class="buttons"><button type="button" class="quiet" onClick=${() => download("csv")}>Download CSV</button><button type="button" class="quiet" onClick=${() => download("xlsx")}>Download Excel</button></div>
    ${refusal && html`<p class="problem" role="alert">${explain(refusal)}</p>`}
    <${PurchaseList} key=${drop.id} drop=${drop} />`;
}

export function Audit({ drop }) {
  const [busy, work] = useState(false);
  const [report, put] = useState(null);
  const [refusal, refuse] = useState(null);
  const run = async () => {
    if (busy) return;
    work(true);
    put(null);
    refuse(null);
    try {
      const found = await get(`/api/drops/${drop.id}/audit`);
      put(found);
      say(found.clean ? "The books agree." : "The books do not agree.");
    } catch (r) {
      refuse(r);
    }
    work(false);
  };
  return html`<p>Replays the ledger from its first entry, and compares it with the counters, each reservation and each purchase, as of one moment.</p>
    <div class="buttons"><button type="button" class="primary" aria-disabled=${busy} aria-busy=${busy} onClick=${run}>${busy ? "Reading the books …" : "Audit this drop"}</button></div>
    ${refusal && html`<p class="problem" role="alert">${explain(refusal)}</p>`}
    ${report && html`<div class=${`verdict ${report.clean ? "pass" : "fail"}`}>
      <h3>${report.clean ? "The books agree" : `${plural(report.differences, "difference")}`}</h3>
      <p>${plural(report.reservations, "reservation")}, ${plural(report.purchases, "purchase")}, ${plural(report.ledger_entries, "ledger entry", "ledger entries")} were read.</p>
      ${report.sentences.length > 0 && html`<ul>${report.sentences.map((s) => html`<li key=${s}>${s}</li>`)}</ul>`}
    </div>`}`;
}
