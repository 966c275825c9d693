import { useEffect, useRef, useState } from "../vendor/preact.js";
import { html } from "../shared/html.js";
import { client, now } from "../shared/client.js";
import { moment, plural, precise, whole } from "../shared/format.js";
import { useSeconds } from "../shared/ticker.js";
import { flush, tell, useTopic } from "../shared/topics.js";
import { explain } from "../shared/words.js";
import { confirm } from "./confirm.js";
import { Detail } from "./log.js";
import { openDialog, toast } from "./modal.js";
import { Page } from "./page.js";
import { usePolled } from "./polled.js";
import { useOperates } from "./role.js";
import { go, href } from "./routes.js";
import { Secret } from "./secret.js";
import { Table } from "./table.js";
import { useTasks } from "./tasks.js";
import { Replay } from "./webhookforms.js";
import { addressOf, DropChips, lagOf, TypeChips, WebhookState } from "./webhookwords.js";
import { zoneName } from "./zones.js";

// made is the endpoint whose secret this page shows. Nothing else keeps the secret, and it is gone with the page.
let made = null;

// reveal has the page of an endpoint show the secret that the server has just told.
export function reveal(webhook) {
  made = webhook;
  tell("secret");
  flush();
}

const back = html`<p class="back"><a href="#/webhooks">All endpoints</a></p>`;

// Endpoint is the page of one endpoint.
export function Endpoint({ id }) {
  useTopic("room");
  useTopic("secret");
  useSeconds();
  const { value, refusal, again } = usePolled(async () => {
    const [{ webhooks }, { attempts }] = await Promise.all([client.listWebhooks(), client.listAttempts({ id }).catch(absent)]);
    return { webhook: webhooks.find((w) => String(w.id) === id), attempts };
  }, id);
  useEffect(() => () => void (made = null), []);
  const title = `Endpoint ${id}`;
  const problem = refusal && html`<p class="problem" role="alert">${explain(refusal)} <button type="button" class="quiet" onClick=${again}>Try again</button></p>`;
  if (!value) return html`<${Page} title=${title} back=${back}>${problem ?? html`<p class="choose" role="status">Loading…</p>`}<//>`;
  const { webhook, attempts } = value;
  if (!webhook) return html`<${Page} title="No such endpoint" back=${back}><p>There is no endpoint with this number. It may have been deleted.</p><//>`;
  return html`<${Page} title=${addressOf(webhook.url).host} back=${back}>
    <div class="detail">
      <p class="facts"><${WebhookState} webhook=${webhook} /> <span>Endpoint ${webhook.id}</span>${webhook.description ? html` <span><bdi>${webhook.description}</bdi></span>` : ""}</p>
      <${Actions} webhook=${webhook} again=${again} />
      ${problem}
      ${made?.id === webhook.id && html`<${NewSecret} key=${made.secret} webhook=${made} />`}
      <${Trouble} webhook=${webhook} />
      <${Figures} webhook=${webhook} />
      <${About} webhook=${webhook} />
      <${Attempts} attempts=${attempts} />
    </div>
  <//>`;
}

// An endpoint that is deleted between the two questions has no attempts.
function absent(refusal) {
  if (refusal.status === 404) return { attempts: [] };
  throw refusal;
}

function NewSecret({ webhook }) {
  return html`<${Secret} title="Signing secret" value=${webhook.secret} copied="The secret is copied." why=", so that nobody who looks at this page later can sign events" done=${() => reveal(null)}>
    <p>The receiver checks the signature of each request with it. Standard Webhooks has libraries for most languages, for example in Node.js:</p>
    <p class="value"><code class="whole" tabindex="0">${`import { Webhook } from "standardwebhooks";\nnew Webhook(secret).verify(rawBody, headers); // throws if it is not genuine`}</code></p>
    ${webhook.old_secret_until && html`<p class="hint">Requests are signed with the old secret, too, until ${precise(Date.parse(webhook.old_secret_until))}.</p>`}
  <//>`;
}

function Actions({ webhook, again }) {
  const operates = useOperates();
  const { busy, refusal, run } = useTasks();
  const [attempt, show] = useState(null);
  const { id, status } = webhook;
  const { host } = addressOf(webhook.url);
  if (!operates) return null;
  const test = () => run("test", async () => {
    show(null);
    show(await client.testWebhook({ id }, { patience: 30_000 }));
    again();
  });
  const enable = (on) => (on ? client.enableWebhook({ id }) : client.disableWebhook({ id }));
  const turn = (on) => run("turn", async () => {
    await enable(on);
    await again();
    toast(`${on ? "Enabled" : "Disabled"}: ${host}`, async () => {
      await enable(!on);
      await again();
      return `${on ? "Disabled" : "Enabled"}: ${host}`;
    });
  });
  const rotate = async () => {
    if (busy) return;
    const sure = await confirm({
      title: `Rotate the secret of ${host}?`, verb: "Rotate secret",
      text: "You get a new secret. For 24 hours each request is signed with the old secret, too, so that you can change the receiver without losing events.",
    });
    if (sure) await run("rotate", async () => {
      reveal(await client.rotateWebhook({ id }));
      again();
    });
  };
  const remove = async () => {
    if (busy) return;
    const text = `The receiver gets no more events.${webhook.lag.events > 0 ? ` ${plural(webhook.lag.events, "event")} not yet delivered ${webhook.lag.events === 1 ? "is" : "are"} not sent.` : ""} This cannot be undone.`;
    if (!(await confirm({ title: `Delete the endpoint ${host}?`, verb: "Delete endpoint", text }))) return;
    await run("delete", async () => {
      await client.deleteWebhook({ id });
      go("webhooks");
      toast(`Deleted: ${host}`);
    });
  };
  const button = (name, label, click, kind = "quiet") => html`<button key=${name} type="button" class=${kind} aria-disabled=${busy !== ""} aria-busy=${busy === name} onClick=${click}>${label}</button>`;
  return html`<div class="actions">
      ${button("test", busy === "test" ? "Sending…" : "Send test event", test, "primary")}
      ${button("replay", "Replay", () => openDialog(Replay, { webhook, done: again }))}
      ${button("turn", status === "disabled" ? "Enable" : "Disable", () => turn(status === "disabled"))}
      ${button("rotate", "Rotate secret", rotate)}
      ${button("delete", "Delete", remove)}
      ${refusal && html`<p class="problem" role="alert">${explain(refusal)}</p>`}
    </div>
    <div role="status" class="tested">${attempt && html`<${Tested} attempt=${attempt} />`}</div>`;
}

const tookOf = (ms) => (ms < 1000 ? `${whole(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);

// Tested is what became of a test event.
function Tested({ attempt }) {
  const { outcome, status, took_ms, answer, error } = attempt;
  const good = outcome === "delivered";
  return html`<div class=${`verdict ${good ? "pass" : "fail"}`}>
    <h3>${good ? "Test event delivered" : "Test event not delivered"}</h3>
    <p>${error ?? `The receiver answered ${status}.`} It took ${tookOf(took_ms)}.</p>
    ${answer ? html`<p><${Detail} text=${answer} /></p>` : ""}
  </div>`;
}

// Trouble says what is wrong with an endpoint, and what to do.
function Trouble({ webhook }) {
  const { status, disabled_reason } = webhook;
  if (status === "failing") return html`<p class="notice">The receiver does not take the events, and the server tries again. The last attempts below say why. No event is lost: those of a drop wait in order.</p>`;
  if (status !== "disabled") return null;
  const sentence = {
    operator: "An operator disabled this endpoint.", gone: "The receiver answered 410 Gone, which means that it wants no more events.",
    failed: "The server disabled this endpoint because an event failed for 5 days.",
  }[disabled_reason] ?? "This endpoint is disabled.";
  return html`<p class="notice">${sentence} The server keeps its place: enable it, and it gets the events that came since.</p>`;
}

function Figures({ webhook }) {
  const [lag, waits] = lagOf(webhook);
  const tile = (label, value, more) => html`<div class="tile"><dt>${label}</dt><dd>${value}${more ? html` <small>${more}</small>` : ""}</dd></div>`;
  const at = (time, none) => (time ? moment(Date.parse(time), now()) : none);
  return html`<dl class="tiles">
    ${tile("Lag", lag, waits && `the oldest waits ${waits}`)}
    ${tile("Last success", at(webhook.last_success_at, "Never"))}
    ${webhook.failing_since && tile("Failing since", at(webhook.failing_since))}
    ${webhook.next_attempt_at && tile("Next attempt", at(webhook.next_attempt_at))}
  </dl>`;
}

function About({ webhook }) {
  const fact = (label, value, wide) => html`<div class=${wide ? "wide" : null}><dt>${label}</dt><dd>${value}</dd></div>`;
  return html`<dl class="about block">
    ${fact("URL", html`<code>${webhook.url}</code>`, true)}
    ${fact("Events", html`<${TypeChips} webhook=${webhook} />`)}
    ${fact("Drops", html`<${DropChips} webhook=${webhook} />`)}
    ${fact("Added", precise(Date.parse(webhook.createdAt)))}
    ${webhook.old_secret_until && fact("Old secret valid until", precise(Date.parse(webhook.old_secret_until)))}
  </dl>`;
}

const outcomes = { delivered: ["ok", "Delivered"], failed: ["refused", "Failed"], gone: ["refused", "Gone"], refused: ["refused", "Not sent"] };

function Attempts({ attempts }) {
  const rows = attempts.map((a) => {
    const [kind, word] = outcomes[a.outcome];
    return html`<tr key=${`${a.at} ${a.event} ${a.attempt}`}><td>${precise(Date.parse(a.at))}</td><td><span class="value"><code>${a.type}</code> <small>${a.event ?? "test"}</small></span></td><td>${whole(a.attempt)}</td><td><span class="value"><span class=${`outcome ${kind}`}>${word}</span> <small>${a.status ?? "no answer"}</small></span></td><td>${tookOf(a.took_ms)}</td><td class="long"><${Said} attempt=${a} /></td><td>${a.next_attempt_at ? moment(Date.parse(a.next_attempt_at), now()) : "–"}</td></tr>`;
  });
  return html`<h2>Last attempts</h2>
    ${rows.length === 0 ? html`<p class="choose">No attempts yet.</p>` : html`<${Table} tall label="Attempts, newest first" head=${["Time", "Event", "Attempt", "Outcome", "Took", "Answer", "Next attempt"]} numbers=${["Attempt", "Took"]} rows=${rows} />
      <p class="hint">The newest ${plural(rows.length, "attempt")}; the server keeps 50. Your time zone: ${zoneName(now())}.</p>`}`;
}

// Said is why an attempt failed, and the beginning of what the receiver answered.
function Said({ attempt: { error, answer } }) {
  if (!error && !answer) return html`–`;
  return html`<div class="value">${error && html`<p>${error}</p>`}${answer && html`<${Detail} text=${answer} />`}</div>`;
}
