import { html } from "../shared/html.js";
import { client, now } from "../shared/client.js";
import { plural, precise, whole } from "../shared/format.js";
import { useTopic } from "../shared/topics.js";
import { Found, useFound, useNew } from "./found.js";
import { SizeTable } from "./live.js";
import { buyerOf } from "./payments.js";
import { href } from "./routes.js";
import { Table } from "./table.js";
import { zoneName } from "./zones.js";

// states are those of an entry: a class, and a word for people.
const states = { waiting: ["unknown", "Waiting"], offered: ["ok", "Offered a pair"], left: ["refused", "Left"], skipped: ["refused", "Skipped"], closed: ["refused", "Waitlist closed"] };

// Waitlist is how many wait for a drop, and the line: everybody who joined it, page by page.
export function Waitlist({ drop }) {
  useTopic("room");
  const list = useFound(async (after, limit) => {
    const answer = await client.showWaitlist({ id: drop.id, after, limit });
    return { rows: answer.entries, next: answer.next };
  }, drop.id);
  useNew(list);
  const rows = list.rows.map((e) => html`<tr key=${e.id}><td>${e.id % 2 ** 32}</td><td><a href=${href(`buyers/${e.userId}`)}><bdi>${buyerOf(e)}</bdi></a></td><td>${e.userId}</td><td><bdi>${e.size ?? "–"}</bdi></td><td>${precise(Date.parse(e.createdAt))}</td><td><${State} entry=${e} /></td><td>${e.endedAt ? precise(Date.parse(e.endedAt)) : "–"}</td></tr>`);
  return html`
    ${drop.waitlist
      ? html`<p>${plural(drop.waiting, "entry waits", "entries wait")}, and at most ${whole(drop.max_waiting)} can. Whoever is first in line gets a pair that comes back, reserved for ${whole(drop.offer_for)} s.</p>${drop.sizes.length > 0 && html`<${SizeTable} drop=${drop} />`}`
      : html`<p>This drop has no waitlist. To open one, press Edit.</p>`}
    <${Found} list=${list} none="Nobody has joined the waitlist.">
      <${Table} tall label="Waitlist, oldest entry first" head=${["No.", "Buyer", "Buyer's number", "Size", "Since", "State", "Ended"]} numbers=${["No."]} rows=${rows} />
      <p class="hint" role="status">${list.next === null ? plural(rows.length, "entry", "entries") : `The oldest ${plural(rows.length, "entry", "entries")}`}. Your time zone: ${zoneName(now())}.</p>
    <//>`;
}

// State is the state of an entry, and the rule that kept the buyer from an offer.
function State({ entry }) {
  const [kind, word] = states[entry.status] ?? ["unknown", entry.status];
  return html`<span><span class=${`outcome ${kind}`}>${word}</span>${entry.reason && html`<small class="why">${entry.reason.replaceAll("_", " ")}</small>`}</span>`;
}
