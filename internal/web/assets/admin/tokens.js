import { useRef, useState } from "../vendor/preact.js";
import { html } from "../shared/html.js";
import { client, now } from "../shared/client.js";
import { precise } from "../shared/format.js";
import { identity } from "../shared/config.js";
import { explain } from "../shared/words.js";
import { confirm } from "./confirm.js";
import { Select } from "./filters.js";
import { Found, useFound } from "./found.js";
import { toast } from "./modal.js";
import { Moment, momentOf } from "./moment.js";
import { Page } from "./page.js";
import { Secret } from "./secret.js";
import { Table } from "./table.js";
import { localText, zoneName } from "./zones.js";

const day = 86_400_000;
const lives = [["1", "1 day"], ["30", "30 days"], ["90", "90 days"], ["365", "1 year"], ["never", "Never"], ["custom", "At a date…"]];
const states = { valid: "Valid", expired: "Expired", revoked: "Revoked" };

// A refusal of this page's calls says more than its code does.
const why = (refusal) => (refusal.code === "forbidden" && /database role/.test(refusal.error) ? refusal.error : explain(refusal));

// Tokens is who may operate the shop.
export function Tokens() {
  if (!identity) return html`<${Page} title="Tokens"><p>This server has no sign-in, so operators need no tokens. Turn on sign-in with <code>--jwt-secret-file</code>, <code>--jwt-jwks-url</code> or <code>--oidc-issuer</code>.</p><//>`;
  return html`<${List} />`;
}

function List() {
  const [made, show] = useState(null);
  const [me, know] = useState(null);
  const list = useFound(async () => {
    const answer = await client.listTokens();
    know(answer.me);
    return { rows: answer.tokens, next: null };
  }, "");
  const mine = list.rows.find((t) => t.id === me);
  const operates = mine?.role === "operator";
  const [refusal, refuse] = useState(null);
  const revoke = async (t) => {
    const own = t.id === me ? " This is the token you use now: you will be signed out." : "";
    const sure = await confirm({
      title: html`Revoke the token of <bdi>${t.name}</bdi>?`, verb: "Revoke token",
      text: () => `Whoever uses it is signed out at once. A revoked token cannot be restored.${own}`,
    });
    if (!sure) return;
    refuse(null);
    try {
      await client.revokeToken({ token: t.id });
      toast(`Revoked: token ${t.id}`);
      list.again();
    } catch (r) {
      refuse(r);
    }
  };
  const when = (time) => (time ? precise(Date.parse(time)) : "Never");
  const rows = list.rows.map((t) => html`<tr key=${t.id}><td>${t.id}</td><td><bdi>${t.name}</bdi>${t.id === me ? html` <small>you</small>` : ""}</td><td>${t.role === "operator" ? "Operator" : "Viewer"}</td><td><span class=${`outcome ${t.state}`}>${states[t.state]}</span></td><td>${precise(Date.parse(t.createdAt))}</td><td>${when(t.expires_at)}</td><td>${operates && t.state === "valid" ? html`<button type="button" class="quiet" aria-label=${`Revoke token ${t.id} of ${t.name}`} onClick=${() => revoke(t)}>Revoke</button>` : "–"}</td></tr>`);
  return html`<${Page} title="Tokens">
    <p>An operator's token may do everything in the control room. A viewer's token may look at everything and change nothing.</p>
    ${made && html`<${Secret} key=${made.token.id} title=${html`Token for <bdi>${made.token.name}</bdi>`} value=${made.secret} copied="The token is copied." why="; the server does not keep it" done=${() => show(null)} />`}
    ${operates && !made && html`<${Create} mine=${mine} done=${(token) => {
      show(token);
      list.again();
    }} />`}
    ${mine && !operates && html`<p class="hint">You signed in with a viewer's token. Only operators can create and revoke tokens.</p>`}
    ${refusal && html`<p class="problem" role="alert">${why(refusal)}</p>`}
    <${Found} list=${list} none="No tokens.">
      <${Table} tall label="Tokens, newest first" head=${["No.", "Name", "Role", "State", "Created", "Expires", "Action"]} numbers=${["No."]} rows=${rows} />
      <p class="hint">Your time zone: ${zoneName(now())}.</p>
    <//>
  <//>`;
}

function Create({ mine, done }) {
  const [texts, put] = useState({ name: "", role: "viewer", life: mine.expires_at ? "1" : "90", until: localText(now() + 7 * day) });
  const [problem, refuse] = useState(null);
  const [busy, work] = useState(false);
  const field = useRef();
  const submit = async (e) => {
    e.preventDefault();
    if (busy) return;
    const name = texts.name.trim();
    const until = texts.life === "custom" ? momentOf(texts.until) : texts.life === "never" ? null : now() + Number(texts.life) * day;
    if (!name) {
      refuse("Enter a name, so that the log says who used the token.");
      return field.current.focus();
    }
    if (texts.life === "custom" && until === null) return refuse("Enter a date and a time when the token expires.");
    refuse(null);
    work(true);
    try {
      done(await client.createToken({ name, role: texts.role, expires_at: until === null ? null : new Date(until).toISOString() }, { intent: `create a token for ${name} ${texts.role} ${texts.life}` }));
    } catch (r) {
      refuse(why(r));
      work(false);
    }
  };
  return html`<form class="asks block" onSubmit=${submit} novalidate aria-labelledby="new-token">
    <h2 id="new-token">New token</h2>
    <div class="field"><label for="token-name">Name</label>
      <input id="token-name" ref=${field} maxlength="100" autocomplete="off" value=${texts.name} aria-describedby="token-name-hint token-create-problem" onInput=${(e) => put({ ...texts, name: e.currentTarget.value })} />
      <p class="hint" id="token-name-hint">Who gets it, for example “Ann's laptop”.</p></div>
    <${Select} id="token-role" label="Role" value=${texts.role} put=${(role) => put({ ...texts, role })} choices=${[["viewer", "Viewer"], ["operator", "Operator"]]} />
    <${Select} id="token-life" label="Expires" value=${texts.life} put=${(life) => put({ ...texts, life })} choices=${lives.map(([key, text]) => [key, /^\d/.test(text) ? `In ${text}` : text])} />
    ${texts.life === "custom" && html`<${Moment} id="token-until" label="Expires at" value=${texts.until} put=${(until) => put({ ...texts, until })} />`}
    <button type="submit" class="primary" aria-disabled=${busy} aria-busy=${busy}>${busy ? "Creating…" : "Create token"}</button>
    ${mine.expires_at && html`<p class="hint">Your own token expires ${precise(Date.parse(mine.expires_at))}. A token that you create cannot last longer.</p>`}
    <p class="problem" id="token-create-problem" role="alert">${problem}</p>
  </form>`;
}
