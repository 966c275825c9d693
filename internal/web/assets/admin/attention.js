// What needs an operator's attention, from the figures: each has a sentence, and the page where something can be done.
import { html } from "../shared/html.js";
import { now } from "../shared/client.js";
import { countdown, moment, plural, whole } from "../shared/format.js";
import { isDraft, startOf } from "./state.js";
import { addressOf } from "./webhookwords.js";

const hour = 3_600_000;
const shown = 8; // drops with one kind of problem

// A rate says something from so many holds on.
const least = 20;
const high = 0.5;

const name = (drop) => html`<bdi>${drop.name}</bdi>`;

const ofDrop = (drop) => {
  const to = `#/drops/${drop.id}`;
  const starts = startOf(drop) - now();
  if (drop.archived) return null;
  if (drop.paused && !drop.hidden && starts <= 0 && drop.available > 0) return { to, text: html`${name(drop)} is paused. ${plural(drop.available, "pair")} could be on sale.` };
  if (isDraft(drop) && starts > 0 && starts <= 24 * hour) return { to, text: html`${name(drop)} starts in ${countdown(starts)} and is still a draft. Publish it, or move its start.` };
  if (drop.paused && !drop.hidden && starts > 0 && starts <= hour) return { to, text: html`${name(drop)} starts in ${countdown(starts)} and is paused.` };
  if (!drop.hidden && drop.total === 0) return { to, text: html`${name(drop)} has no stock. Restock it, or hide it.` };
  return null;
};

const patience = 60_000; // ms of failures that a receiver may have when it restarts

const ofWebhook = ({ id, url, status, disabled_reason, failing_since, lag }) => {
  const [to, { host }] = [`#/webhooks/${id}`, addressOf(url)];
  const since = Date.parse(failing_since);
  if (status === "failing" && now() - since > patience) return { to, bad: true, text: `Webhooks to ${host} have failed since ${moment(since, now())}. ${plural(lag.events, "event")} ${lag.events === 1 ? "waits" : "wait"}.` };
  if (disabled_reason === "failed") return { to, bad: true, text: `Webhooks to ${host} are disabled, because an event failed for 5 days. Repair the receiver, and enable them.` };
  if (disabled_reason === "gone") return { to, text: `Webhooks to ${host} are disabled, because the receiver answered 410 Gone. Enable or delete them.` };
  return null;
};

const tolerated = 3; // failed tries of a payment: a provider may be away for a moment

const refused = ({ service }, codes) => (service?.refusals ?? []).filter((r) => codes.includes(r.code)).reduce((n, r) => n + r.count, 0);

// attention lists what is wrong, the worst first. audits are the reports of audits that found something.
export function attention({ figures, history, audits }, webhooks = [], waiting = []) {
  const found = (figures.warnings ?? []).map((text) => ({ to: "#/service", bad: true, text: `The database may lose sales: ${text}` }));
  for (const [id, report] of audits) {
    found.push({ to: `#/drops/${id}/audit`, bad: true, text: `An audit of drop ${id} found ${plural(report.differences, "discrepancy", "discrepancies")}.` });
  }
  if (refused(figures, ["damaged"]) > 0) found.push({ to: "#/drops", bad: true, text: "A drop's records don't match, so the server refuses to sell it. Run an audit." });
  const overload = ["overloaded", "unavailable"];
  const recent = refused(figures, overload) - refused(history[0] ?? figures, overload);
  if (recent > 0) found.push({ to: "#/service", bad: true, text: `The server refused ${plural(recent, "request")} in the last 30 seconds because it was overloaded or could not reach the database.` });
  const stuck = waiting.filter((p) => p.tries >= tolerated).length;
  if (stuck > 0) found.push({ to: "#/payments?show=waiting", bad: true, text: `${plural(stuck, "payment is", "payments are")} stuck: the last tries failed. The server goes on trying.` });
  found.push(...webhooks.map(ofWebhook).filter(Boolean));
  const drops = figures.drops.filter((d) => !d.rehearsal).map(ofDrop).filter(Boolean);
  found.push(...drops.slice(0, shown));
  if (drops.length > shown) found.push({ to: "#/drops", text: `${whole(drops.length - shown)} more drops need attention.` });
  const holds = figures.service?.holds;
  const ended = holds ? holds.paid + holds.released + holds.expired : 0;
  if (ended >= least && holds.expired / ended > high) {
    found.push({ to: "#/service", text: `${Math.round((holds.expired / ended) * 100)} % of holds expired unpaid since the server started. Buyers may have trouble paying.` });
  }
  return found;
}
