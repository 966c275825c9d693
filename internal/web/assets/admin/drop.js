import { useEffect } from "../vendor/preact.js";
import { html } from "../shared/html.js";
import { money, plural } from "../shared/format.js";
import { client, now } from "../shared/client.js";
import { useTopic } from "../shared/topics.js";
import { useSeconds } from "../shared/ticker.js";
import { isolated } from "../shared/typed.js";
import { explain } from "../shared/words.js";
import { offered, useActions, verbOf } from "./actions.js";
import { Audit } from "./audit.js";
import { Content } from "./content.js";
import { Edit, Restock } from "./forms.js";
import { Access, Draw, Waitlist } from "./later.js";
import { Live } from "./live.js";
import { openDialog, toast } from "./modal.js";
import { Page } from "./page.js";
import { Preview } from "./preview.js";
import { OneRehearsal } from "./rehearsal.js";
import { dropOf, refresh, room, watch } from "./room.js";
import { go, href } from "./routes.js";
import { State, startOf, StartOf } from "./state.js";
import { Ledger, Purchases } from "./tables.js";

// views are what a drop's page shows below its head, by the last part of the address. One line adds another.
const views = {
  "": { label: "Live", view: Live },
  page: { label: "Page", view: Content },
  ledger: { label: "Ledger", view: Ledger },
  purchases: { label: "Purchases", view: Purchases },
  waitlist: { label: "Waitlist", view: Waitlist },
  draw: { label: "Draw", view: Draw },
  early: { label: "Early access", view: Access },
  audit: { label: "Audit", view: Audit },
  rehearsal: { label: "Rehearsal", view: OneRehearsal },
};

// Drop is the page of one drop.
export function Drop({ id, view }) {
  useTopic("room");
  useSeconds();
  useEffect(() => {
    watch(id);
    return () => watch(0);
  }, [id]);
  const drop = dropOf(id);
  if (!room.figures) return html`<${Page} title="Drop"><p class="choose">${room.problem ? explain(room.problem) : "Loading…"}</p><//>`;
  if (!drop) {
    return html`<${Page} title="No such drop"><p>There is no drop ${Number.isSafeInteger(id) && id > 0 ? id : "with this number"}.</p><p><a href="#/drops">All drops</a></p><//>`;
  }
  const names = Object.keys(views).filter((name) => name !== "draw" || drop.draw);
  const shown = names.includes(view) ? view : "";
  const { view: View } = views[shown];
  const { rehearsal } = drop;
  const heading = html`<bdi>${drop.name}</bdi>`;
  const back = html`<p class="back"><a href=${rehearsal ? "#/rehearsals" : "#/drops"}>${rehearsal ? "All rehearsals" : "All drops"}</a></p>`;
  return html`<${Page} title=${isolated(drop.name)} heading=${heading} back=${back}>
    <div class="detail">
      <p class="facts"><${State} drop=${drop} /> <span>Drop ${drop.id}</span> <span>${money(drop.price)}</span> <span>${startOf(drop) > now() ? "Starts" : "Started"} <${StartOf} drop=${drop} /></span>${drop.limit_per_user ? html` <span>Limit: ${plural(drop.limit_per_user, "pair")} per person</span>` : ""}</p>
      <${Actions} key=${drop.id} drop=${drop} />
      <nav class="tabs scrolls" aria-label="Views of the drop">
        ${names.map((name) => html`<a key=${name} href=${href(`drops/${drop.id}${name && `/${name}`}`)} aria-current=${shown === name ? "page" : null}>${views[name].label}</a>`)}
      </nav>
      <section class="panel" key=${`${drop.id} ${shown}`} aria-label=${views[shown].label}><${View} drop=${drop} /></section>
    </div>
  <//>`;
}

function Actions({ drop }) {
  const { act, run, busy, refusal } = useActions(drop);
  // A duplicate is a draft: the operator looks at it before buyers do.
  const duplicate = () => run("duplicate", async () => {
    const made = await client.duplicateDrop({ id: drop.id });
    await refresh();
    go(`drops/${made.id}`);
    toast(`Duplicated as drop ${made.id}, a draft.`);
  });
  const button = (name, label, click, kind = "quiet") => html`<button key=${name} type="button" class=${kind} aria-disabled=${busy !== ""} aria-busy=${busy === name} onClick=${click}>${label}</button>`;
  return html`<div class="actions">
    ${offered(drop).map((name) => button(name, verbOf(name), () => act(name), name === "publish" ? "primary" : "quiet"))}
    ${!drop.archived && !drop.rehearsal && button("restock", "Restock", () => openDialog(Restock, { drop }))}
    ${button("edit", "Edit", () => openDialog(Edit, { drop }))}
    ${!drop.rehearsal && button("page", "Edit page", () => go(`drops/${drop.id}/page`))}
    ${!drop.rehearsal && button("duplicate", "Duplicate", duplicate)}
    ${drop.hidden || drop.archived ? button("preview", "Preview", () => openDialog(Preview, { drop })) : html`<a class="button quiet" href=${`/drops/${drop.id}`} target="_blank" rel="noopener">Preview as a buyer</a>`}
    ${refusal && html`<p class="problem" role="alert">${explain(refusal)}</p>`}
  </div>`;
}
