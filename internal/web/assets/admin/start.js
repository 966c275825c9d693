// When a drop starts, as an operator says it: in the local time of this device. The form names the zone and the
// instant in UTC before anything is saved. It refuses a time that a clock change leaves out, and asks which one is
// meant where a time comes twice.
import { html } from "../shared/html.js";
import { wrong } from "./check.js";
import { localText, offsetAt, offsetName, read, utcText, zoneHere, zoneName } from "./zones.js";

// startTexts are the form's texts for an instant.
export const startTexts = (ms) => ({ start_time: localText(ms), start_offset: String(offsetAt(ms, zoneHere())) });

const spaced = (text) => text.replace("T", " ").replace(/:00$/, "");
const clock = (ms, zone) => spaced(localText(ms, zone));
const clockAndOffset = (ms, zone) => `${clock(ms, zone)} (${offsetName(offsetAt(ms, zone))})`;

// start is the instant that the form's texts mean, for the API.
export function start(text, texts) {
  const zone = zoneHere();
  const found = read(text, texts.start_offset, zone);
  if (found.kind === "none") wrong("Pick a day and a time.");
  if (found.kind === "gap") {
    wrong(`This time does not exist in ${zone}: clocks go from ${clockAndOffset(found.before, zone)} straight to ${clockAndOffset(found.after, zone)}. Use one of these two, or another time.`);
  }
  if (found.instant === undefined) wrong(`This time comes ${found.choices.length === 2 ? "twice" : `${found.choices.length} times`} in ${zone}, because clocks are set back. Choose which one you mean.`);
  return new Date(found.instant).toISOString();
}

const ordinals = ["First", "Second", "Third"];

// StartMeaning stands below the field: what the typed time means, and what there is to choose.
export function StartMeaning({ form }) {
  const zone = zoneHere();
  const found = read(form.texts.start_time, form.texts.start_offset, zone);
  const locked = form.locked.includes("start_time");
  return html`
    <p class="hint" id="start_time-means" aria-live="polite">${found.instant === undefined ? `Your time zone: ${zone}` : `Your time zone: ${zoneName(found.instant, zone)}. In UTC: ${utcText(found.instant)}`}</p>
    ${found.kind === "twice" && !locked && html`<fieldset class="choices" id="start-choices">
      <legend>${spaced(form.texts.start_time)} comes ${found.choices.length === 2 ? "twice" : "more than once"}. Which one?</legend>
      ${found.choices.map((c, i) => html`<label key=${c.offset}>
        <input type="radio" name="start_offset" value=${c.offset} checked=${found.instant === c.instant} onChange=${() => form.put({ start_offset: c.offset })} />
        <span>${ordinals[i]}: ${offsetName(Number(c.offset))}, ${utcText(c.instant)}</span>
      </label>`)}
    </fieldset>`}
    ${found.kind === "gap" && !locked && html`<div class="choices" id="start-nearest">
      ${[found.before, found.after].map((ms) => html`<button key=${ms} type="button" class="quiet" onClick=${() => form.put(startTexts(ms))}>Use ${clock(ms, zone)}</button>`)}
    </div>`}`;
}
