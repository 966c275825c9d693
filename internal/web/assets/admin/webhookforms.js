import { useState } from "../vendor/preact.js";
import { html } from "../shared/html.js";
import { client } from "../shared/client.js";
import { whole } from "../shared/format.js";
import { isolated } from "../shared/typed.js";
import * as check from "./check.js";
import { Field, useForm, useSending } from "./forms.js";
import { dropOf, room } from "./room.js";
import { addressOf, types } from "./webhookwords.js";

// Add asks for a new endpoint. open shows it, with the secret that the server tells only once.
export function Add({ close, open }) {
  const chosen = (name, what) => (list, texts) => {
    if (texts[`${name}_of`] === "all") return [];
    return list.length > 0 ? list : check.wrong(`Choose at least one ${what}, or all.`);
  };
  const form = useForm({ url: "", description: "", types_of: "all", types: [], drops_of: "all", drops: [] }, {
    url: (s) => s.trim() || check.wrong("Enter the address of the receiver. It starts with https://."),
    description: (s) => s.trim(), types: chosen("types", "type of event"), drops: chosen("drops", "drop"),
  });
  const { submit, end, box } = useSending(form, async (v) => {
    const made = await client.createWebhook({ url: v.url, description: v.description || undefined, types: v.types, drops: v.drops });
    open(made);
    return { text: `Added: ${addressOf(made.url).host}` };
  }, close);
  return html`<form ref=${box} onSubmit=${submit} novalidate>
    <h2 id="dialog-title">Add endpoint</h2>
    <${Field} form=${form} name="url" label="URL" type="url" inputmode="url" autocomplete="off" spellcheck="false" maxlength="2000" placeholder="https://" hint="The server sends each event there as a POST request." />
    <${Field} form=${form} name="description" label="Description" maxlength="200" autocomplete="off" hint="Optional, for example “Fulfillment”." />
    <${Choice} form=${form} name="types" legend="Events" all="All events, including types that are added later" some="Only these">
      <${TypeBoxes} form=${form} />
    <//>
    <${Choice} form=${form} name="drops" legend="Drops" all="All drops, including those that you create later" some="Only these">
      <${DropBoxes} form=${form} />
    <//>
    ${end("Add endpoint")}
  </form>`;
}

// Choice is between all and some; the boxes of some are its children.
function Choice({ form, name, legend, all, some, children }) {
  const which = form.texts[`${name}_of`];
  const option = (value, text) => html`<label><input type="radio" name=${`${name}_of`} value=${value} checked=${which === value} onChange=${() => form.put({ [`${name}_of`]: value, [name]: form.texts[name] })} /><span>${text}</span></label>`;
  return html`<fieldset class="choices which" aria-describedby=${`${name}-problem`}>
    <legend>${legend}</legend>
    ${option("all", all)}
    ${option("some", some)}
    ${which === "some" && children}
    <p class="problem" id=${`${name}-problem`} role="alert">${form.problemOf(name)}</p>
  </fieldset>`;
}

function Box({ form, name, value, children }) {
  const list = form.texts[name];
  const toggle = (e) => form.put({ [name]: e.currentTarget.checked ? [...list, value] : list.filter((x) => x !== value) });
  return html`<label class="check"><input type="checkbox" name=${name} value=${value} checked=${list.includes(value)} onChange=${toggle} />${children}</label>`;
}

function TypeBoxes({ form }) {
  return html`<div class="boxes">${types.map(([type, text]) => html`<${Box} key=${type} form=${form} name="types" value=${type}><span><code>${type}</code> <small>${text}</small></span><//>`)}</div>
    <p class="hint">If several hold or stock events wait for the receiver, it gets the newest of each type. It always gets each purchase and each return.</p>`;
}

const many = 8; // drops that are found without a filter

function DropBoxes({ form }) {
  const [q, search] = useState("");
  const all = (room.figures?.drops ?? []).filter((d) => !d.rehearsal && (!d.archived || form.texts.drops.includes(d.id))).reverse();
  const shown = all.filter((d) => form.texts.drops.includes(d.id) || [d.name, d.id].join(" ").toLowerCase().includes(q.trim().toLowerCase()));
  if (all.length === 0) return html`<p class="hint">There are no drops yet.</p>`;
  return html`
    ${all.length > many && html`<div class="field wide"><label for="drops-filter">Find a drop</label><input id="drops-filter" type="search" autocomplete="off" value=${q} placeholder="Name or number" onInput=${(e) => search(e.currentTarget.value)} /></div>`}
    <div class="boxes many">${shown.map((d) => html`<${Box} key=${d.id} form=${form} name="drops" value=${d.id}><span><bdi>${d.name}</bdi> <small>Drop ${d.id}</small></span><//>`)}${shown.length === 0 && html`<p class="hint">No drop matches.</p>`}</div>`;
}

const number = (empty) => (s) => {
  const text = s.trim();
  if (text === "" && empty) return undefined;
  return /^[1-9]\d{0,15}$/.test(text) ? Number(text) : check.wrong(`Enter a whole number from 1 on${empty ? ", or leave it empty" : ""}.`);
};

// Replay sends events of one drop again.
export function Replay({ webhook, close, done }) {
  const drops = (room.figures?.drops ?? []).filter((d) => (webhook.drops.length === 0 ? !d.rehearsal : webhook.drops.includes(d.id))).reverse();
  const form = useForm({ dropId: drops.length === 1 ? String(drops[0].id) : "", from: "", to: "" }, {
    dropId: (s) => Number(s) || check.wrong("Choose the drop."),
    from: number(false),
    to: (s, texts) => {
      const [to, from] = [number(true)(s), Number(texts.from)];
      return to !== undefined && to < from ? check.wrong("The last event cannot come before the first.") : to;
    },
  });
  const { submit, end, box } = useSending(form, async (v) => {
    const { from, to } = await client.replayWebhook({ id: webhook.id, ...v });
    done();
    return { text: `Sending again: events ${whole(from)} to ${whole(to)} of ${isolated(dropOf(v.dropId)?.name ?? `drop ${v.dropId}`)}` };
  }, close);
  const problem = form.problemOf("dropId");
  return html`<form ref=${box} onSubmit=${submit} novalidate>
    <h2 id="dialog-title">Replay events</h2>
    <p>The receiver gets these events again, with the same ids. A receiver that keeps ids skips those that it knows.</p>
    <div class="field"><label for="dropId">Drop</label>
      <select id="dropId" name="dropId" value=${form.texts.dropId} aria-describedby="dropId-problem" aria-invalid=${problem !== null} onChange=${(e) => form.set("dropId", e.currentTarget.value)} onBlur=${() => form.see("dropId")}>
        <option value="" disabled selected=${form.texts.dropId === ""}>Choose a drop</option>
        ${drops.map((d) => html`<option key=${d.id} value=${String(d.id)} selected=${form.texts.dropId === String(d.id)}>${`${isolated(d.name)} (${d.id})`}</option>`)}
      </select>
      <p class="problem" id="dropId-problem" role="alert">${problem}</p></div>
    <div class="pair">
      <${Field} form=${form} name="from" label="From event" inputmode="numeric" autocomplete="off" hint="The number after the dash: 7-1042 is event 1042 of drop 7." />
      <${Field} form=${form} name="to" label="To event" inputmode="numeric" autocomplete="off" hint="Leave empty to replay up to the newest." />
    </div>
    ${end("Replay")}
  </form>`;
}
