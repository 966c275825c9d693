import { useState } from "../vendor/preact.js";
import { html } from "../shared/html.js";
import { client, now } from "../shared/client.js";
import { money, plural, precise, whole } from "../shared/format.js";
import { isolated } from "../shared/typed.js";
import { exact } from "./books.js";
import { Text } from "./filters.js";
import { Found, useFound, useTyped } from "./found.js";
import { Page } from "./page.js";
import { paidCell, paidHead } from "./refund.js";
import { useOperates } from "./role.js";
import { href } from "./routes.js";
import { Table } from "./table.js";
import { became, TakenBack } from "./takeback.js";
import { zoneName } from "./zones.js";

// Buyers finds a buyer; with a number in the address it shows that one.
export function Buyers({ parts }) {
  return parts[0] ? html`<${Buyer} key=${parts[0]} id=${parts[0]} />` : html`<${Search} />`;
}

function Search() {
  const [q, search] = useState("");
  const typed = useTyped(search);
  const list = useFound(async (before, limit) => {
    const answer = await client.listBuyers({ before, limit, q: q || undefined });
    return { rows: answer.buyers, next: answer.next };
  }, q);
  const rows = list.rows.map((b) => html`<tr key=${b.id}><td><a href=${href(`buyers/${b.id}`)}><bdi>${b.username}</bdi></a></td><td><bdi>${b.email ?? "–"}</bdi></td><td>${b.id}</td></tr>`);
  return html`<${Page} title="Buyers">
    <form class="asks" role="search" onSubmit=${(e) => e.preventDefault()}>
      <${Text} id="buyers-q" label="Find a buyer" hint="Part of a name or email, or the whole number." onInput=${typed} />
    </form>
    <${Found} list=${list} none=${q ? `No buyer matches “${q}”.` : "No buyers yet."}>
      <${Table} tall label="Buyers, newest first" head=${["Name", "Email", "Number"]} numbers=${["Number"]} rows=${rows} />
      <p class="hint" role="status">${list.next === null ? plural(rows.length, "buyer") : `The newest ${plural(rows.length, "buyer")}`}. Buyers who are known by the shop's own number only are found by that number.</p>
    <//>
  <//>`;
}

const states = { active: "Reserved", completed: "Purchased", expired: "Expired", cancelled: "Released" };
const most = 500; // reservations that one answer has

function Buyer({ id }) {
  const list = useFound(async () => {
    const buyer = await client.getBuyer({ id: Number(id), limit: most });
    return { rows: [buyer], next: null };
  }, id);
  const back = html`<p class="back"><a href="#/buyers">All buyers</a></p>`;
  const [buyer] = list.rows;
  const title = buyer ? isolated(buyer.username) : `Buyer ${id}`;
  return html`<${Page} title=${title} heading=${buyer && html`<bdi>${buyer.username}</bdi>`} back=${back}>
    <${Found} list=${list} none="There is no such buyer.">${buyer && html`<${History} buyer=${buyer} put=${(id, change) => list.put((b) => withChange(b, id, change))} />`}<//>
  <//>`;
}

// withChange is the buyer with what became of a purchase.
const withChange = (buyer, id, changed) => ({
  ...buyer, reservations: buyer.reservations.map((r) => (r.purchase?.id === id ? { ...r, purchase: { ...r.purchase, ...became(changed) } } : r)),
});

function History({ buyer, put }) {
  const operates = useOperates();
  const paid = buyer.reservations.filter((r) => r.purchase);
  const back = paid.filter((r) => r.purchase.returned);
  const sum = (of) => exact(of.reduce((n, r) => n + r.purchase.price, 0));
  const tile = (label, value, more) => html`<div class="tile"><dt>${label}</dt><dd>${value}${more && html` <small>${more}</small>`}</dd></div>`;
  const purchaseOf = (r) => ({ ...r.purchase, dropId: r.dropId, dropName: r.dropName, size: r.size, username: buyer.username });
  const rows = buyer.reservations.map((r) => html`<tr key=${r.id}><td>${precise(Date.parse(r.createdAt))}</td><td><a href=${href(`drops/${r.dropId}`)}><bdi>${r.dropName}</bdi></a></td><td><bdi>${r.size ?? "–"}</bdi></td><td><span class=${`reason ${r.status}`}>${states[r.status]}</span>${r.offer && html` <small>from the waitlist</small>`}</td><td>${r.purchase ? money(r.purchase.price) : "–"}</td><td>${r.purchase ? precise(Date.parse(r.purchase.createdAt)) : "–"}</td><td>${r.purchase ? `${r.dropId}-${r.purchase.id % 2 ** 32}` : "–"}</td>${paidCell(r.purchase ? purchaseOf(r) : {}, operates, put)}<td>${r.purchase ? html`<${TakenBack} purchase=${purchaseOf(r)} operates=${operates} put=${put} />` : "–"}</td></tr>`);
  return html`<p class="facts"><span>Buyer ${buyer.id}</span> <span><bdi>${buyer.email ?? "No email"}</bdi></span></p>
    <dl class="tiles">${tile("Reservations", whole(buyer.reservations.length))}${tile("Purchases", whole(paid.length), back.length > 0 && `${whole(back.length)} taken back`)}${tile("Spent", money(sum(paid)), back.length > 0 && `of it ${money(sum(back))} for pairs taken back`)}</dl>
    ${rows.length === 0 ? html`<p class="choose">No reservations yet.</p>` : html`<${Table} tall label="Reservations, newest first" head=${["Reserved", "Drop", "Size", "State", "Price", "Paid", "Receipt", ...paidHead, "Taken back"]} numbers=${["Price"]} rows=${rows} />`}
    <p class="hint">${buyer.more ? `The newest ${buyer.reservations.length} reservations. ` : ""}Your time zone: ${zoneName(now())}.</p>`;
}
