// What there is to say of webhooks: types of events, and the state of an endpoint.
import { html } from "../shared/html.js";
import { now } from "../shared/client.js";
import { countdown, moment, plural, spoken } from "../shared/format.js";
import { isolated } from "../shared/typed.js";
import { dropOf } from "./room.js";

const groups = {
  purchase: { completed: "A buyer paid for a pair.", returned: "The shop took a sold pair back." },
  hold: { created: "A buyer reserved a pair.", expired: "A buyer did not pay in time, and the pair is back on sale.", cancelled: "A buyer released a pair." },
  drop: {
    created: "An operator created a drop.", updated: "An operator edited, paused or resumed a drop.", sold_out: "The last available pair was reserved.",
    back_in_stock: "A pair is available again after a drop was sold out.",
  },
};

// types are those of the events, each with a sentence.
export const types = Object.entries(groups).flatMap(([group, names]) => Object.entries(names).map(([name, text]) => [`${group}.${name}`, text]));

const longest = 40; // characters of a path in a list

// addressOf splits a URL, so that its host stands out. A long path loses its middle.
export function addressOf(url) {
  try {
    const { protocol, host, pathname, search } = new URL(url);
    const path = (pathname === "/" ? "" : pathname) + search;
    return { host, plain: protocol !== "https:", path: path.length > longest ? `${path.slice(0, longest - 16)}…${path.slice(-15)}` : path };
  } catch {
    return { host: url, plain: false, path: "" };
  }
}

const since = (time) => moment(Date.parse(time), now());

const reasons = { operator: "by an operator", gone: "the receiver answered 410 Gone", failed: "an event failed for 5 days" };

// stateOf says what an endpoint does: its class for the style sheet, the word, and what explains it.
export function stateOf(webhook) {
  const { status, disabled_reason, disabled_at, failing_since, next_attempt_at } = webhook;
  if (status === "disabled") {
    return [disabled_reason === "operator" ? "off" : "fail", "Disabled", [reasons[disabled_reason], disabled_at && `since ${since(disabled_at)}`].filter(Boolean).join(", ")];
  }
  if (status === "failing") return ["is-paused", failing_since ? `Failing since ${since(failing_since)}` : "Failing", next_attempt_at && nextAttempt(next_attempt_at)];
  return ["is-live", "Active", null];
}

const soon = 3_600_000; // ms

function nextAttempt(time) {
  const left = Date.parse(time) - now();
  if (left <= 0) return "next attempt now";
  return left < soon ? `next attempt in ${countdown(left)}` : `next attempt at ${since(time)}`;
}

export function WebhookState({ webhook }) {
  const [kind, word] = stateOf(webhook);
  return html`<span class=${`state ${kind}`}>${word}</span>`;
}

// lagOf says how many events an endpoint has not had yet, and how long the oldest of them has waited: at least since
// it was first tried.
export function lagOf({ status, lag, failing_since }) {
  if (lag.events === 0) return ["Up to date", null];
  if (status === "disabled") return [`${plural(lag.events, "event")} waiting`, null];
  const ms = Math.max(lag.seconds * 1000, failing_since ? now() - Date.parse(failing_since) : 0);
  return [`${plural(lag.events, "event")} behind`, spoken(ms)];
}

const nameOf = (id) => {
  const drop = dropOf(id);
  return drop ? isolated(drop.name) : `Drop ${id}`;
};

const most = 3; // chips in a list

// Chips names types or drops. A short one names a few of many.
export function Chips({ of, all, name = (x) => x, short = false }) {
  const shown = short && of.length > most ? of.slice(0, most - 1) : of;
  if (of.length === 0) return html`<span class="chips"><span class="chip">${all}</span></span>`;
  return html`<span class="chips">${shown.map((x) => html`<span key=${x} class="chip">${name(x)}</span>`)}${shown.length < of.length && html`<span class="chip more-of">${of.length - shown.length} more</span>`}</span>`;
}

export const TypeChips = ({ webhook, short }) => html`<${Chips} of=${webhook.types} all="All events" short=${short} />`;
export const DropChips = ({ webhook, short }) => html`<${Chips} of=${webhook.drops} all="All drops" name=${nameOf} short=${short} />`;
