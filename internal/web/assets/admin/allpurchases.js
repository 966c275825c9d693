import { useEffect, useRef, useState } from "../vendor/preact.js";
import { html } from "../shared/html.js";
import { client, now } from "../shared/client.js";
import { money, plural, precise } from "../shared/format.js";
import { useTopic } from "../shared/topics.js";
import { Download } from "./download.js";
import { DropChoice, Text } from "./filters.js";
import { Found, useFound, useTyped } from "./found.js";
import { between, Moment } from "./moment.js";
import { Page } from "./page.js";
import { paidCell, paidHead } from "./refund.js";
import { useOperates } from "./role.js";
import { room } from "./room.js";
import { change, href } from "./routes.js";
import { countsOf } from "./state.js";
import { Table } from "./table.js";
import { became, TakenBack } from "./takeback.js";
import { zoneName } from "./zones.js";

const pace = 3000; // ms between two looks for new ones

// AllPurchases is what was sold, over all drops or of one. Names and emails stay out of the address, which browsers
// keep; the other filters are in it.
export function AllPurchases({ query }) {
  useTopic("room");
  const [q, search] = useState("");
  const asked = { drop: query.get("drop") ?? "", size: query.get("size") ?? "", from: query.get("from") ?? "", to: query.get("to") ?? "" };
  const range = between(asked);
  const key = JSON.stringify([q, asked]);
  const list = useFound(async (before, limit) => {
    if (range.problem) return { rows: [], next: null };
    const answer = await client.listAllPurchases({ before, limit, q: q || undefined, drop: asked.drop || undefined, size: asked.size || undefined, ...range.query });
    return { rows: answer.purchases, next: answer.next };
  }, key);
  useNew(list);
  const typed = useTyped(search);
  const sized = useTyped((size) => change({ size }));
  const operates = useOperates();
  const put = (id, changed) => list.put((p) => (p.id === id ? { ...p, ...became(changed) } : p));
  const rows = list.rows.map((p) => html`<tr key=${p.id}><td>${precise(Date.parse(p.createdAt))}</td><td><a href=${href(`drops/${p.dropId}/purchases`)}><bdi>${p.dropName}</bdi></a></td><td><a href=${href(`buyers/${p.userId}`)}><bdi>${p.username}</bdi></a></td><td><bdi>${p.email ?? "–"}</bdi></td><td><bdi>${p.size ?? "–"}</bdi></td><td>${money(p.price)}</td><td>${p.dropId}-${p.id % 2 ** 32}</td>${paidCell(p, operates, put)}<td><${TakenBack} purchase=${p} operates=${operates} put=${put} /></td></tr>`);
  const filtered = q || Object.values(asked).some(Boolean);
  return html`<${Page} title="Purchases">
    <form class="asks" role="search" onSubmit=${(e) => e.preventDefault()}>
      <${Text} id="purchases-q" label="Search" hint="Name, email, or the number of a receipt, reservation or buyer." onInput=${typed} />
      <${DropChoice} id="purchases-drop" value=${asked.drop} put=${(drop) => change({ drop })} />
      <${Text} id="purchases-size" label="Size" value=${asked.size} type="text" most="32" onInput=${sized} />
      <${Moment} id="purchases-from" label="From" value=${asked.from} put=${(from) => change({ from })} />
      <${Moment} id="purchases-to" label="To" value=${asked.to} put=${(to) => change({ to })} />
    </form>
    ${range.problem && html`<p class="problem" role="alert">${range.problem}</p>`}
    ${asked.drop && !q ? html`<${Files} drop=${asked.drop} range=${range} size=${asked.size} />` : html`<${AllFiles} asked=${asked} range=${range} q=${q} />`}
    <${Found} list=${list} none=${filtered ? "No purchase matches." : "No purchases yet."}>
      <${Table} tall label="Purchases, newest first" head=${["Time", "Drop", "Buyer", "Email", "Size", "Price", "Receipt", ...paidHead, "Taken back"]} numbers=${["Price"]} rows=${rows} />
      <p class="hint" role="status">${list.next === null ? plural(rows.length, "purchase") : `The newest ${plural(rows.length, "purchase")}`}. Your time zone: ${zoneName(now())}.</p>
    <//>
  <//>`;
}

// useNew looks again when something was sold or taken back, as long as the list is no longer than its first page.
function useNew(list) {
  const counts = (room.figures?.drops ?? []).map(countsOf);
  const sold = [counts.reduce((n, c) => n + c.purchases, 0), counts.reduce((n, c) => n + c.returned, 0)].join();
  const seen = useRef({ sold, at: 0 });
  useEffect(() => {
    const { current } = seen;
    if (sold === current.sold || list.busy || list.rows.length > list.page || performance.now() - current.at < pace) return;
    seen.current = { sold, at: performance.now() };
    list.again();
  });
}

const queryOf = (filters) => Object.entries(filters).filter(([, value]) => value).map(([name, value]) => `&${name}=${encodeURIComponent(value)}`).join("");

// AllFiles downloads every purchase that matches what the page shows, not only the rows that it has loaded.
function AllFiles({ asked, range, q }) {
  if (range.problem) return null;
  const path = `/api/operator/purchases?format=csv&bom=1${queryOf({ drop: asked.drop, size: asked.size, q, ...range.query })}`;
  return html`<div class="buttons files"><${Download} path=${path} name="purchases.csv">Download CSV<//>
    <p class="hint">${asked.drop ? "Without a search there is Excel too." : "For Excel, choose a drop."}</p></div>`;
}

// Files downloads a drop's purchases, of the same range and size as the page shows. A search is not part of a file.
export function Files({ drop, range, size }) {
  if (range.problem) return null;
  const asked = queryOf({ ...range.query, size });
  const file = (format, label) => html`<${Download} key=${format} path=${`/api/drops/${drop}/purchases?format=${format}&bom=1${asked}`} name=${`drop-${drop}-purchases.${format}`}>${label}<//>`;
  return html`<div class="buttons">${file("csv", "Download CSV")}${file("xlsx", "Download Excel")}</div>`;
}
