// What few drops have comes later: waitlists, draws and early access. It takes what it needs of the page from here, so
// that there is one copy of everything.
import { useEffect, useReducer } from "../vendor/preact.js";
import { client, now } from "../shared/client.js";
import { assets } from "../shared/config.js";
import { save } from "../shared/download.js";
import { moment, plural, precise, whole } from "../shared/format.js";
import { html } from "../shared/html.js";
import { useTopic } from "../shared/topics.js";
import { explain } from "../shared/words.js";
import * as check from "./check.js";
import { confirm } from "./confirm.js";
import { Download } from "./download.js";
import * as forms from "./forms.js";
import { Found, useFound, useNew } from "./found.js";
import { SizeTable } from "./live.js";
import { openDialog } from "./modal.js";
import { buyerOf } from "./payments.js";
import { useOperates } from "./role.js";
import { href } from "./routes.js";
import { start, startTexts } from "./start.js";
import { Table } from "./table.js";
import * as zones from "./zones.js";

let parts = null;

// useLater is what admin/later/lines.js exports, or null until it has come.
export function useLater() {
  const [tries, again] = useReducer((n) => n + 1, 0);
  useEffect(() => {
    if (parts) return undefined;
    let timer = 0;
    import(`${assets}/admin/later/lines.js${tries ? `?try=${tries}` : ""}`).then(
      (come) => {
        parts ??= come.parts({ html, useEffect, useReducer, client, now, moment, plural, precise, whole, useTopic, check, confirm, explain, Download, forms, Found, useFound, useNew, SizeTable, openDialog, save, useOperates, buyerOf, href, start, startTexts, Table, zones });
        again();
      },
      () => (timer = setTimeout(again, 3000)), // a browser keeps in mind that an address did not come
    );
    return () => clearTimeout(timer);
  }, [tries]);
  return parts;
}

// Later is a view of a drop that comes later, by its name there.
const Later = (name) => function View({ drop }) {
  const views = useLater();
  return views ? html`<${views[name]} drop=${drop} />` : html`<p class="choose">Loading…</p>`;
};

export const [Draw, Waitlist, Access] = ["Draw", "Waitlist", "Access"].map(Later);
