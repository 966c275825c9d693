import { useEffect, useReducer, useRef } from "../vendor/preact.js";
import { html } from "../shared/html.js";
import { client, now } from "../shared/client.js";
import { money, plural, precise, whole } from "../shared/format.js";
import { explain } from "../shared/words.js";
import { paidCell, paidHead } from "./refund.js";
import { useOperates } from "./role.js";
import { countsOf } from "./state.js";
import { Table } from "./table.js";
import { became, TakenBack } from "./takeback.js";
import { zoneName } from "./zones.js";

const page = 100;
const most = 1000; // rows that one answer has
const kept = 2000; // rows that are kept while new ones come
const pace = 2000; // ms between two looks for new ones
const typing = 250; // ms without a key until a search begins

// reading reads a drop's purchases, the newest first: all of them, or those that a search finds. draw is called when
// there is something to draw. An answer to what was asked before the last search no longer counts.
function reading(dropId, narrowed, draw) {
  const list = { q: "", found: [], next: null, busy: false, refusal: null };
  let newest = 0; // the newest purchase that was looked at
  let seen = {}; // the drop's counts when that was asked
  let looked = -Infinity;
  let run = 0;

  const ask = (query) => client.listPurchases({ id: dropId, order: "newest", limit: page, q: list.q || undefined, ...narrowed, ...query });

  // during runs one conversation with the server at a time; still says whether its answers count.
  async function during(talk) {
    const mine = run;
    list.busy = true;
    draw();
    try {
      await talk(() => mine === run);
      if (mine === run) list.refusal = null;
    } catch (refusal) {
      if (mine === run) list.refusal = refusal;
    }
    if (mine !== run) return;
    looked = performance.now();
    list.busy = false;
    draw();
  }

  // fill reads on until so many rows are there, or no more. A long search answers in parts.
  async function fill(rows, still, first) {
    for (let begun = !first; still(); begun = true) {
      const answer = await ask(begun ? { before: list.next } : {});
      if (!still()) return;
      if (!begun) newest = answer.newest ?? 0;
      list.found = [...list.found, ...answer.purchases];
      list.next = answer.next;
      if (list.next === null || list.found.length >= rows) return;
      draw();
    }
  }

  return {
    list,
    search(q, counts) {
      run++;
      Object.assign(list, { q, found: [], next: null });
      seen = counts;
      newest = 0;
      return during((still) => fill(page, still, true));
    },
    more: () => !list.busy && during((still) => fill(list.found.length + page, still, false)),
    // again reads all rows once more, because a pair of some of them was taken back.
    again(counts) {
      return during(async (still) => {
        const wanted = Math.max(page, list.found.length);
        const first = await ask({ limit: Math.min(most, wanted) });
        let [rows, next] = [first.purchases, first.next];
        while (still() && next !== null && rows.length < wanted) {
          const answer = await ask({ before: next, limit: Math.min(most, wanted - rows.length) });
          rows = [...rows, ...answer.purchases];
          next = answer.next;
        }
        if (!still()) return;
        newest = first.newest ?? newest;
        seen = counts;
        Object.assign(list, { found: rows, next });
      });
    },
    // put puts in what became of a purchase.
    put(id, changed) {
      list.found = list.found.map((p) => (p.id === id ? { ...p, ...became(changed) } : p));
      draw();
    },
    // look asks for what was sold or taken back since, if something was.
    look(counts) {
      const same = counts.purchases === seen.purchases && counts.returned === seen.returned;
      if (list.busy || (same && !list.refusal) || performance.now() - looked < pace) return;
      if (newest === 0) return void this.search(list.q, counts);
      if (counts.returned !== seen.returned) return void this.again(counts);
      during(async (still) => {
        const answer = await ask({ after: newest });
        if (!still()) return;
        newest = answer.newest ?? newest;
        seen = counts;
        list.found = answer.next === null ? [...answer.purchases, ...list.found] : answer.purchases;
        if (answer.next !== null) list.next = answer.next; // more than a page is new: read down from the newest again
        if (answer.next !== null && list.found.length < page) await fill(page, still, false);
        if (list.found.length > kept) {
          list.found = list.found.slice(0, kept - page);
          list.next = list.found.at(-1).id;
        }
      });
    },
    end: () => run++,
  };
}

// PurchaseList shows the newest purchases as they happen, and finds those of a buyer.
export function PurchaseList({ drop, query = {} }) {
  const [, draw] = useReducer((n) => n + 1, 0);
  const reader = useRef(null);
  reader.current ||= reading(drop.id, query, draw);
  const { list } = reader.current;
  const counts = countsOf(drop);
  const operates = useOperates();
  const field = useRef();
  const timer = useRef(0);
  useEffect(() => {
    reader.current.search("", counts);
    return () => {
      clearTimeout(timer.current);
      reader.current.end();
    };
  }, []);
  useEffect(() => reader.current.look(counts)); // the figures come each second
  const search = () => {
    clearTimeout(timer.current);
    const q = field.current.value.trim();
    if (q !== list.q) reader.current.search(q, counts);
  };
  const typed = () => {
    clearTimeout(timer.current);
    timer.current = setTimeout(search, typing);
  };
  const submit = (e) => {
    e.preventDefault();
    search();
  };
  const rows = list.found.map((p) => ({ ...p, dropId: drop.id, dropName: drop.name })).map((p) => html`<tr key=${p.id}><td>${p.id % 2 ** 32}</td><td><bdi>${p.username}</bdi></td><td><bdi>${p.email ?? "–"}</bdi></td><td><bdi>${p.size ?? "–"}</bdi></td><td>${money(p.price)}</td><td>${precise(Date.parse(p.createdAt))}</td>${paidCell(p, operates, reader.current.put)}<td><${TakenBack} purchase=${p} operates=${operates} put=${reader.current.put} /></td></tr>`);
  return html`
    <form class="search" role="search" onSubmit=${submit}>
      <label for="purchase-search">Search purchases</label>
      <input id="purchase-search" ref=${field} type="search" maxlength="254" autocomplete="off" spellcheck="false" aria-describedby="purchase-search-hint purchase-search-found" onInput=${typed} />
      <p class="hint" id="purchase-search-hint">Name, email, or the number of a purchase, receipt, reservation or buyer.</p>
    </form>
    <p class="hint" id="purchase-search-found" role="status">${list.q ? foundOf(list) : ""}</p>
    ${list.refusal && html`<p class="problem" role="alert">${explain(list.refusal)}</p>`}
    ${rows.length === 0 && !list.q && !list.busy && !list.refusal && html`<p class="choose">${Object.values(query).some(Boolean) ? "No purchase matches." : "No purchases yet."}</p>`}
    ${rows.length > 0 && html`<${Table} label="Purchases, newest first" head=${["No.", "Buyer", "Email", "Size", "Price", "Time", ...paidHead, "Taken back"]} numbers=${["No.", "Price"]} rows=${rows} />
      <p class="hint">${list.q ? "" : Object.values(query).some(Boolean) ? `${plural(rows.length, "purchase")} shown. ` : `The newest ${whole(rows.length)} of ${plural(Math.max(counts.purchases, rows.length), "purchase")}, live.${counts.returned > 0 ? ` ${plural(counts.returned, "pair")} taken back, ${whole(drop.sold)} counted as sold.` : ""} `}Your time zone: ${zoneName(now())}.</p>`}
    ${list.next !== null && html`<button type="button" class="quiet more" aria-disabled=${list.busy} aria-busy=${list.busy} onClick=${() => reader.current.more()}>${list.busy ? "Loading…" : "Show more"}</button>`}`;
}

function foundOf({ q, found, next, busy }) {
  if (busy && found.length === 0) return "Searching…";
  if (found.length === 0) return `No purchase matches “${q}”.`;
  return `${next === null ? plural(found.length, "purchase") : `The newest ${plural(found.length, "purchase")}`} found.`;
}
