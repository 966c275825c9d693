import { useState } from "../vendor/preact.js";
import { html } from "../shared/html.js";
import { client, now } from "../shared/client.js";
import { plural, precise, spoken } from "../shared/format.js";
import { Select, Text } from "./filters.js";
import { Found, useFound, useTyped } from "./found.js";
import { Page } from "./page.js";
import { Table } from "./table.js";
import { zoneName } from "./zones.js";

const sources = { default: "Default", flag: "Command line", environment: "Environment", file: "File .env" };
const buses = { none: "None: other servers' sales appear within a second", connected: "Connected", disconnected: "Disconnected: other servers' sales appear within a second" };

// Settings is what runs, and with which settings. Nothing can be changed here: settings are read at the start.
export function Settings() {
  const list = useFound(async () => ({ rows: [await client.settings()], next: null }), "");
  const [about] = list.rows;
  return html`<${Page} title="Settings"><${Found} list=${list} none="No settings.">${about && html`<${About} about=${about} />`}<//><//>`;
}

function About({ about }) {
  const [text, search] = useState("");
  const [source, choose] = useState("");
  const typed = useTyped(search);
  const fact = (label, value) => html`<div><dt>${label}</dt><dd>${value}</dd></div>`;
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = about.settings.filter((s) => {
    const all = `${s.name} ${s.value ?? ""} ${s.help} ${s.from ?? ""}`.toLowerCase();
    return words.every((w) => all.includes(w)) && (source === "" || (source === "changed" ? s.source !== "default" : s.source === source));
  });
  const rows = shown.map((s) => html`<tr key=${s.name}><th scope="row"><code>${s.name}</code></th><td class="long">${s.value === null ? html`<span class="unset">Not set</span>` : s.secret ? html`<em>Set, not shown</em>` : html`<code>${s.value}</code>`}</td><td>${sources[s.source]}${s.from ? html` <small><code>${s.from}</code></small>` : ""}</td><td class="long">${s.help}</td></tr>`);
  const started = Date.parse(about.started);
  return html`<dl class="about block">
      ${fact("Version", about.commit ? `${about.version} (commit ${about.commit.slice(0, 12)}${about.commit.endsWith("+") ? ", changed" : ""})` : about.version)}
      ${fact("Built with", about.go)}
      ${fact("Started", `${precise(started)}, ${spoken(now() - started)} ago`)}
      ${fact("Database", [about.database.engine, about.database.version].filter(Boolean).join(" ") || "Not known")}
      ${fact("Link to other servers", buses[about.bus])}
      ${fact("Sign-in", about.sign_in ? "Buyers and operators need tokens" : "Nobody has to sign in")}
    </dl>
    ${about.database.warnings.map((w) => html`<p class="problem" key=${w}>The database may lose sales: ${w}</p>`)}
    <h2>Settings in force</h2>
    <p>The server reads its settings when it starts. Secrets are never shown.</p>
    <form class="asks" role="search" onSubmit=${(e) => e.preventDefault()}>
      <${Text} id="settings-q" label="Filter" hint="Part of a name, a value or a description." onInput=${typed} />
      <${Select} id="settings-source" label="Taken from" value=${source} put=${choose} choices=${[["", "Anywhere"], ["changed", "All except defaults"], ...Object.entries(sources)]} />
    </form>
    <p class="hint" role="status">${plural(rows.length, "setting")} of ${about.settings.length}. Your time zone: ${zoneName(now())}.</p>
    ${rows.length > 0 ? html`<${Table} tall label="Settings" head=${["Setting", "Value", "Taken from", "What it does"]} rows=${rows} />` : html`<p class="choose">No setting matches.</p>`}`;
}
