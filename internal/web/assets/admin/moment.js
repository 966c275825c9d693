// Times that operators type: in the local time of this device, which the page names beside them.
import { html } from "../shared/html.js";
import { now } from "../shared/client.js";
import { parse, read, zoneName } from "./zones.js";

// momentOf is the instant that a typed local time means, in ms; null: it is none. Where clocks are set back a time
// comes twice: the beginning of a range means the first, its end the last. Where they are set forward it does not
// exist: both mean the change.
export function momentOf(text, end = false) {
  if (parse(text) === null) {
    return null;
  }
  const found = read(text);
  if (found.kind === "gap") return found.after;
  if (found.kind === "twice") return found.choices[end ? found.choices.length - 1 : 0].instant;
  return found.instant;
}

export function Moment({ id, label, value, put, step = 60 }) {
  return html`<div class="field moment"><label for=${id}>${label}</label>
    <input id=${id} type="datetime-local" step=${step} value=${value} aria-describedby=${`${id}-zone`} onInput=${(e) => put(e.currentTarget.value)} />
    <p class="hint" id=${`${id}-zone`}>${zoneName(now())}</p></div>`;
}

// between makes of two typed times what the API takes, or says what is wrong with them.
export function between({ from = "", to = "" }) {
  const ends = [from && momentOf(from), to && momentOf(to, true)];
  if (ends.includes(null)) return { problem: "Enter a date and a time, or leave the field empty." };
  if (ends[0] !== "" && ends[1] !== "" && ends[1] <= ends[0]) return { problem: "The end must be later than the beginning." };
  const [begin, end] = ends.map((ms) => (ms === "" ? undefined : new Date(ms).toISOString()));
  return { query: { from: begin, to: end } };
}
