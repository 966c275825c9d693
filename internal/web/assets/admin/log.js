import { html } from "../shared/html.js";
import { client, now } from "../shared/client.js";
import { plural, precise } from "../shared/format.js";
import { identity } from "../shared/config.js";
import { useTopic } from "../shared/topics.js";
import { DropChoice, Select, Text } from "./filters.js";
import { Found, useFound, useTyped } from "./found.js";
import { between, Moment } from "./moment.js";
import { Page } from "./page.js";
import { change, href } from "./routes.js";
import { Table } from "./table.js";
import { zoneName } from "./zones.js";

// What operators do, in words. An action that is not here is shown as the log has it.
const calls = {
  "create-drop": "Created a drop", "edit-drop": "Edited a drop", restock: "Restocked", "return-purchase": "Took a pair back", "refund-purchase": "Refunded a purchase", purchase: "Recorded a sale", pause: "Paused", resume: "Resumed",
  "list-purchases": "Read purchases", "list-all-purchases": "Read all purchases", "list-ledger": "Read the ledger", audit: "Ran an audit", rehearse: "Ran a rehearsal",
  "ensure-user": "Created or found a buyer", "list-buyers": "Searched buyers", "get-buyer": "Looked at a buyer",
  "list-tokens": "Listed tokens", "create-token": "Created a token", "revoke-token": "Revoked a token",
  "create-webhook": "Added a webhook", "delete-webhook": "Deleted a webhook", "enable-webhook": "Enabled a webhook", "disable-webhook": "Disabled a webhook",
  "rotate-webhook": "Rotated a webhook's secret", "test-webhook": "Sent a test event", "replay-webhook": "Replayed events",
  "token create": "Created a token (command line)", "token revoke": "Revoked a token (command line)",
};
const outcomes = [["", "Any outcome"], ["ok", "Done"], ["refused", "Refused"], ["unknown", "Unknown"]];

// Log is who did what, when, and how it ended.
export function Log({ query }) {
  if (!identity) return html`<${Page} title="Log"><p>This server has no sign-in, so nobody knows who does what and there is no log. Turn on sign-in with <code>--jwt-secret-file</code>, <code>--jwt-jwks-url</code> or <code>--oidc-issuer</code>.</p><//>`;
  return html`<${Entries} query=${query} />`;
}

function Entries({ query }) {
  useTopic("room");
  const asked = Object.fromEntries(["actor", "call", "drop", "outcome", "from", "to"].map((name) => [name, query.get(name) ?? ""]));
  const range = between(asked);
  const list = useFound(async (before, limit) => {
    if (range.problem) return { rows: [], next: null };
    const given = Object.fromEntries(Object.entries({ ...asked, from: "", to: "" }).filter(([, value]) => value));
    const answer = await client.listActions({ ...given, ...range.query, before, limit });
    return { rows: answer.actions, next: answer.next };
  }, JSON.stringify(asked));
  const typed = useTyped((actor) => change({ actor }));
  const rows = list.rows.map((a) => html`<tr key=${a.id}><td>${precise(Date.parse(a.at))}</td><td><bdi>${a.name}</bdi> <small>${a.token ? `${a.role} ${a.token}` : "command line"}</small></td><td>${calls[a.call] ?? a.call}</td><td>${a.dropId ? html`<a href=${href(`drops/${a.dropId}`)}>${a.dropId}</a>` : "–"}</td><td><span class=${`outcome ${kindOf(a.outcome)}`}>${said(a.outcome)}</span></td><td>${a.from}</td><td class="long"><${Detail} text=${a.detail} /></td></tr>`);
  return html`<${Page} title="Log">
    <form class="asks" role="search" onSubmit=${(e) => e.preventDefault()}>
      <${Text} id="log-actor" label="Who" hint="Part of a name, or the number of a token." value=${asked.actor} most="100" onInput=${typed} />
      <${Select} id="log-call" label="Action" value=${asked.call} put=${(call) => change({ call })} choices=${[["", "Any action"], ...Object.entries(calls)]} />
      <${DropChoice} id="log-drop" value=${asked.drop} put=${(drop) => change({ drop })} all="Any drop" />
      <${Select} id="log-outcome" label="Outcome" value=${asked.outcome} put=${(outcome) => change({ outcome })} choices=${outcomes} />
      <${Moment} id="log-from" label="From" value=${asked.from} put=${(from) => change({ from })} />
      <${Moment} id="log-to" label="To" value=${asked.to} put=${(to) => change({ to })} />
    </form>
    ${range.problem && html`<p class="problem" role="alert">${range.problem}</p>`}
    <${Found} list=${list} none="No entry matches.">
      <${Table} tall label="Log, newest first" head=${["Time", "Who", "Action", "Drop", "Outcome", "Address", "Details"]} rows=${rows} />
      <p class="hint" role="status">${list.next === null ? plural(rows.length, "entry", "entries") : `The newest ${plural(rows.length, "entry", "entries")}`}. Your time zone: ${zoneName(now())}.</p>
    <//>
  <//>`;
}

const kindOf = (outcome) => (outcome === null ? "unknown" : /^ok(,|$)/.test(outcome) ? "ok" : "refused");

function said(outcome) {
  if (outcome === null) return "Unknown: the server stopped first";
  if (kindOf(outcome) === "refused") return `Refused: ${outcome.replaceAll("_", " ")}`;
  return outcome === "ok" ? "Done" : `Done: ${outcome.slice(4)}`;
}

export function Detail({ text }) {
  if (!text) return html`–`;
  if (text.length <= 60) return html`<code>${text}</code>`;
  return html`<details><summary><code>${`${text.slice(0, 50)}…`}</code></summary><code class="whole">${text}</code></details>`;
}
