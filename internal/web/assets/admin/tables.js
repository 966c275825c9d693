import { useEffect, useState } from "../vendor/preact.js";
import { html } from "../shared/html.js";
import { now } from "../shared/client.js";
import { precise, plural, whole } from "../shared/format.js";
import { useTopic } from "../shared/topics.js";
import { isolated } from "../shared/typed.js";
import { Files } from "./allpurchases.js";
import { Select, Text } from "./filters.js";
import { useTyped } from "./found.js";
import { between, Moment } from "./moment.js";
import { PurchaseList } from "./purchases.js";
import { readLedger, room } from "./room.js";
import { Table } from "./table.js";
import { zoneName } from "./zones.js";

const reasons = {
  created: "Created", restocked: "Restocked", reserved: "Reserved", purchased: "Sold", reservation_expired: "Expired", reservation_cancelled: "Released",
  payment_started: "Payment started", refunded: "Refunded", returned: "Taken back", written_off: "Written off",
  offered: "Offered", offer_expired: "Offer expired", offer_declined: "Offer declined", waitlist_kept: "Kept for waitlist", waitlist_freed: "No longer kept",
  access_kept: "Kept for early access", access_freed: "No longer kept",
};

// Ledger is read on every few seconds while it is open and the drop changes.
export function Ledger() {
  useTopic("story");
  useEffect(() => {
    readLedger();
  }, []);
  if (!room.story) return html`<p class="choose">Loading…</p>`;
  const rows = room.ledger.map((e) => html`<tr key=${e.seq}><td>${e.seq}</td><td>${precise(Date.parse(e.at))}</td><td><span class=${`reason ${e.reason}`}>${reasons[e.reason] || e.reason}</span></td><td><bdi>${e.size ?? "–"}</bdi></td><td>${whole(e.units)}</td><td>${whole(e.available)}</td></tr>`);
  return html`<${Table} label="Ledger, newest first" head=${["No.", "Time", "Event", "Size", "Pairs", "Available after"]} numbers=${["No.", "Pairs", "Available after"]} rows=${rows}><p class="hint">The newest ${plural(room.ledger.length, "entry", "entries")} of ${whole(room.story.seq)}. Your time zone: ${zoneName(now())}.</p><//>`;
}

// Purchases of one drop: a size and a time range narrow down the list and the files.
export function Purchases({ drop }) {
  const [asked, put] = useState({ size: "", from: "", to: "" });
  const range = between(asked);
  const sized = useTyped((size) => put({ ...asked, size }));
  const query = { size: asked.size || undefined, ...range.query };
  return html`<form class="asks" onSubmit=${(e) => e.preventDefault()}>
      ${drop.sizes.length > 0
        ? html`<${Select} id="drop-size" label="Size" value=${asked.size} put=${(size) => put({ ...asked, size })} choices=${[["", "All sizes"], ...drop.sizes.map((s) => [s.size, isolated(s.size)])]} />`
        : html`<${Text} id="drop-size" label="Size" type="text" most="32" onInput=${sized} />`}
      <${Moment} id="drop-from" label="From" value=${asked.from} put=${(from) => put({ ...asked, from })} />
      <${Moment} id="drop-to" label="To" value=${asked.to} put=${(to) => put({ ...asked, to })} />
    </form>
    ${range.problem ? html`<p class="problem" role="alert">${range.problem}</p>` : html`
      <${Files} drop=${drop.id} range=${range} size=${asked.size} />
      <${PurchaseList} key=${`${drop.id} ${JSON.stringify(query)}`} drop=${drop} query=${query} />`}`;
}
