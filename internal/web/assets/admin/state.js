import { html } from "../shared/html.js";
import { now } from "../shared/client.js";
import { countdown, moment } from "../shared/format.js";
import { utcText, zoneName } from "./zones.js";

// stateOf says in a word for the style sheet, and in one for people, what a drop is doing.
export function stateOf(drop) {
  if (drop.archived) return ["over", "Archived"];
  if (drop.hidden) return ["hidden", "Hidden"];
  if (drop.paused) return ["paused", "Paused"];
  if (Date.parse(drop.start_time) > now()) return ["soon", `Starts in ${countdown(Date.parse(drop.start_time) - now())}`];
  if (drop.available > 0) return ["open", "On sale"];
  return drop.held > 0 ? ["held", "All held"] : ["out", "Sold out"];
}

// StartOf names the zone of the time that it shows: operators in several zones plan one drop.
export function StartOf({ drop }) {
  const at = Date.parse(drop.start_time);
  return html`<time datetime=${drop.start_time} title=${utcText(at)}>${moment(at, now())}, ${zoneName(at)}</time>`;
}
