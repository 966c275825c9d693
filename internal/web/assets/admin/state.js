import { html } from "../shared/html.js";
import { now } from "../shared/client.js";
import { countdown, moment } from "../shared/format.js";
import { utcText, zoneName } from "./zones.js";

const soon = 600_000; // ms: buyers are there already

export const startOf = (drop) => Date.parse(drop.start_time);

// countsOf are how many purchases a drop had, and of how many of them the pair was taken back. The others count as
// sold. A server that is older than the page tells of no returns.
export const countsOf = (drop) => ({ purchases: drop.sold + (drop.returned ?? 0), returned: drop.returned ?? 0 });

// revenueOf is the price of all units that count as sold: all had one price. Those that were taken back do not count.
// Prices have at most four decimals.
export const revenueOf = (drop) => Math.round(drop.sold * drop.price * 1e4) / 1e4;

// isDraft says whether a drop was never published: it is hidden, and nobody has had a unit of it.
export const isDraft = (drop) => drop.hidden && !drop.archived && countsOf(drop).purchases + drop.held === 0;

// sells says whether stopping a drop would take something away from buyers now.
export const sells = (drop) => !drop.archived && drop.available + drop.held > 0 && startOf(drop) <= now() + soon;

// kindOf is the one state that a drop is in: what lists filter by, and how the style sheet names it.
export function kindOf(drop) {
  if (drop.archived) return "archived";
  if (drop.hidden) return isDraft(drop) ? "draft" : "hidden";
  if (drop.paused) return "paused";
  if (startOf(drop) > now()) return "upcoming";
  if (drop.available + drop.held > 0) return "live";
  return "out";
}

// stateOf says in a word for the style sheet, and in one for people, what a drop is doing.
export function stateOf(drop) {
  const kind = kindOf(drop);
  if (kind === "upcoming") return [kind, `Starts in ${countdown(startOf(drop) - now())}`];
  if (kind === "out" && drop.total === 0) return [kind, "No stock"];
  if (kind === "live" && drop.available === 0) return ["held", "All held"];
  return [kind, { archived: "Archived", draft: "Draft", hidden: "Hidden", paused: "Paused", live: "On sale", out: "Sold out" }[kind]];
}

export function State({ drop }) {
  const [state, said] = stateOf(drop);
  return html`<span class=${`state is-${state}`}>${said}</span>`;
}

// StartOf names the zone of the time that it shows: operators in several zones plan one drop.
export function StartOf({ drop, zone = true }) {
  const at = startOf(drop);
  return html`<time datetime=${drop.start_time} title=${utcText(at)}>${moment(at, now())}${zone ? `, ${zoneName(at)}` : ""}</time>`;
}

// Shares draws how much of the stock is sold, held and available. A text beside it has to say the same.
export function Shares({ drop }) {
  const of = (n) => ({ flexGrow: String(n) });
  return html`<span class="shares" aria-hidden="true"><i class="sold" style=${of(drop.sold)} /><i class="held" style=${of(drop.held)} /><i class="available" style=${of(drop.available)} /></span>`;
}
