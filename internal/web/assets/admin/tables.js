import { useEffect } from "../vendor/preact.js";
import { html } from "../shared/html.js";
import { now } from "../shared/client.js";
import { precise, plural, whole } from "../shared/format.js";
import { useTopic } from "../shared/topics.js";
import { Download } from "./download.js";
import { PurchaseList } from "./purchases.js";
import { readLedger, room } from "./room.js";
import { Table } from "./table.js";
import { zoneName } from "./zones.js";

const reasons = {
  created: "Created", restocked: "Restocked", reserved: "Reserved", purchased: "Sold", reservation_expired: "Expired", reservation_cancelled: "Released",
};

// Ledger is read on every few seconds while it is open and the drop changes.
export function Ledger() {
  useTopic("story");
  useEffect(() => {
    readLedger();
  }, []);
  if (!room.story) return html`<p class="choose">Loading…</p>`;
  const rows = room.ledger.map((e) => html`<tr key=${e.seq}><td>${e.seq}</td><td>${precise(Date.parse(e.at))}</td><td><span class=${`reason ${e.reason}`}>${reasons[e.reason] || e.reason}</span></td><td><bdi>${e.size ?? "–"}</bdi></td><td>${whole(e.units)}</td><td>${whole(e.available)}</td></tr>`);
  return html`<${Table} label="Ledger, newest first" head=${["No.", "Time", "Event", "Size", "Pairs", "Available after"]} rows=${rows}><p class="hint">The newest ${plural(room.ledger.length, "entry", "entries")} of ${whole(room.story.seq)}. Your time zone: ${zoneName(now())}.</p><//>`;
}

export function Purchases({ drop }) {
  const file = (format, label) => html`<${Download} key=${format} path=${`/api/drops/${drop.id}/purchases?format=${format}&bom=1`} name=${`drop-${drop.id}-purchases.${format}`}>${label}<//>`;
  return html`<div class="buttons">${file("csv", "Download CSV")}${file("xlsx", "Download Excel")}</div>
    <${PurchaseList} key=${drop.id} drop=${drop} />`;
}
