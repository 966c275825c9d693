import { useState } from "../vendor/preact.js";
import { html } from "../shared/html.js";
import { now } from "../shared/client.js";
import { moment, plural, whole } from "../shared/format.js";
import { isolated } from "../shared/typed.js";
import { useTopic } from "../shared/topics.js";
import { explain } from "../shared/words.js";
import { Page } from "./page.js";
import { Rehearsal, useRehearsals } from "./rehearsal.js";
import { room } from "./room.js";
import { startOf } from "./state.js";

// Rehearsals starts rehearsals of any drop, and lists those that there were.
export function Rehearsals() {
  useTopic("room");
  const rehearsals = useRehearsals();
  const [chosen, choose] = useState("");
  if (!room.figures) return html`<${Page} title="Rehearsals"><p class="choose">${room.problem ? explain(room.problem) : "Loading…"}</p><//>`;
  const real = room.figures.drops.filter((d) => !d.rehearsal && !d.archived).sort((a, b) => startOf(b) - startOf(a));
  const drop = real.find((d) => String(d.id) === chosen) ?? real[0];
  return html`<${Page} title="Rehearsals">
    <section class="block" aria-labelledby="start-title"><h2 id="start-title">Start a rehearsal</h2>
      ${real.length === 0 ? html`<p class="hint">Create a drop first.</p>` : html`<div class="field pick"><label for="rehearse-drop">Drop</label>
        <select id="rehearse-drop" onChange=${(e) => choose(e.target.value)}>${real.map((d) => html`<option key=${d.id} value=${String(d.id)} selected=${d === drop}>${`${isolated(d.name)} (drop ${d.id})`}</option>`)}</select></div>
        <${Rehearsal} key=${drop.id} drop=${drop} rehearsals=${rehearsals} />`}
    </section>
    <section class="block" aria-labelledby="past-title"><h2 id="past-title">Past rehearsals</h2><${Past} rehearsals=${rehearsals} /></section>
  <//>`;
}

// Past lists the copies that rehearsals made. The server knows the results of those since its start.
function Past({ rehearsals }) {
  const results = new Map((rehearsals.state?.past ?? []).filter((p) => p.result).map((p) => [p.result.copy, p]));
  const copies = room.figures.drops.filter((d) => d.rehearsal).reverse();
  const failed = (rehearsals.state?.past ?? []).filter((p) => p.failure);
  if (copies.length + failed.length === 0) return html`<p class="hint">No rehearsals yet.</p>`;
  return html`<table class="cards list">
    <thead><tr><th scope="col">Rehearsal</th><th scope="col">Result</th><th scope="col">Time</th><th scope="col" class="number">Buyers</th><th scope="col" class="number">Pairs</th><th scope="col" class="number">Sold</th></tr></thead>
    <tbody>${copies.map((d) => html`<${Row} key=${d.id} drop=${d} past=${results.get(d.id)} />`)}</tbody></table>
    ${failed.map((p) => html`<p class="problem" key=${p.began}>The rehearsal of drop ${p.dropId} at ${moment(Date.parse(p.began), now())} has no result: ${p.failure}</p>`)}
    <p class="hint">The server keeps the results of its last 20 rehearsals until it restarts.</p>`;
}

function Row({ drop, past }) {
  const verdict = past?.result;
  return html`<tr>
    <th scope="row"><a href=${`#/drops/${drop.id}`}><bdi>${drop.name}</bdi></a> <small>Drop ${drop.id}</small></th>
    <td data-label="Result">${verdict ? html`<span class=${`state ${verdict.pass ? "pass" : "fail"}`}>${verdict.pass ? "PASS" : "FAIL"}</span>${verdict.faults.length > 0 ? html` <small>${plural(verdict.faults.length, "fault")}: ${verdict.faults[0]}</small>` : ""}` : drop.archived ? "Not kept" : "Running"}</td>
    <td data-label="Time">${moment(startOf(drop), now())}</td>
    <td data-label="Buyers" class="number">${past ? whole(past.buyers) : "–"}</td>
    <td data-label="Pairs" class="number">${whole(drop.total)}</td>
    <td data-label="Sold" class="number">${whole(drop.sold)}</td>
  </tr>`;
}
