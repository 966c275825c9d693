import { html } from "../shared/html.js";
import { isolated } from "../shared/typed.js";
import { room } from "./room.js";

export function Select({ id, label, value, put, choices }) {
  return html`<div class="field half"><label for=${id}>${label}</label>
    <select id=${id} value=${value} onChange=${(e) => put(e.currentTarget.value)}>
      ${choices.map(([key, text]) => html`<option key=${key} value=${key} selected=${key === value}>${text}</option>`)}
    </select></div>`;
}

// DropChoice chooses a drop, or all of them.
export function DropChoice({ id, value, put, all = "All drops" }) {
  const drops = (room.figures?.drops ?? []).filter((d) => !d.rehearsal || String(d.id) === value).reverse();
  const choices = [["", all], ...drops.map((d) => [String(d.id), `${isolated(d.name)} (${d.id})`])];
  if (value && !choices.some(([key]) => key === value)) choices.push([value, `Drop ${value}`]);
  return html`<${Select} id=${id} label="Drop" value=${value} put=${put} choices=${choices} />`;
}

export function Text({ id, label, hint, type = "search", value, onInput, most = 254 }) {
  return html`<div class=${type === "text" ? "field half" : "field"}><label for=${id}>${label}</label>
    <input id=${id} type=${type} maxlength=${most} defaultValue=${value} autocomplete="off" spellcheck="false" aria-describedby=${hint ? `${id}-hint` : null} onInput=${onInput} />
    ${hint && html`<p class="hint" id=${`${id}-hint`}>${hint}</p>`}</div>`;
}
