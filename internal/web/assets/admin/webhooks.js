import { html } from "../shared/html.js";
import { client, now } from "../shared/client.js";
import { moment } from "../shared/format.js";
import { useSeconds } from "../shared/ticker.js";
import { useTopic } from "../shared/topics.js";
import { explain } from "../shared/words.js";
import { openDialog } from "./modal.js";
import { Page } from "./page.js";
import { usePolled } from "./polled.js";
import { useOperates } from "./role.js";
import { go, href } from "./routes.js";
import { Endpoint, reveal } from "./webhook.js";
import { Add } from "./webhookforms.js";
import { addressOf, DropChips, lagOf, stateOf, TypeChips, WebhookState } from "./webhookwords.js";
import { zoneName } from "./zones.js";

// Webhooks lists the endpoints that the server sends events to; with a number in the address it shows that one.
export function Webhooks({ parts }) {
  return parts[0] ? html`<${Endpoint} key=${parts[0]} id=${parts[0]} />` : html`<${List} />`;
}

function List() {
  useTopic("room");
  useSeconds();
  const operates = useOperates();
  const { value, refusal, again } = usePolled(() => client.listWebhooks());
  const open = (made) => {
    reveal(made);
    go(`webhooks/${made.id}`);
  };
  const add = operates && html`<button type="button" class="primary" onClick=${() => openDialog(Add, { open })}>Add endpoint</button>`;
  const problem = refusal && html`<p class="problem" role="alert">${explain(refusal)} <button type="button" class="quiet" onClick=${again}>Try again</button></p>`;
  if (!value) return html`<${Page} title="Webhooks" actions=${add}>${problem ?? html`<p class="choose" role="status">Loading…</p>`}<//>`;
  return html`<${Page} title="Webhooks" actions=${add}>
    <p>The server sends events, such as each purchase, to the addresses of your other systems: fulfillment, email, accounting. Each request is signed, and nothing is lost while a receiver is down.</p>
    <p><a href="/docs#create-webhook" target="_blank" rel="noopener">How webhooks work<span class="sr"> (opens a new tab)</span></a></p>
    ${problem}
    ${value.webhooks.length === 0 ? html`<p class="choose">No endpoints yet.${operates ? " Add the address of the system that should receive events." : ""}</p>` : html`<${Table} webhooks=${value.webhooks} />
      <p class="hint">Your time zone: ${zoneName(now())}.</p>`}
  <//>`;
}

function Table({ webhooks }) {
  return html`<table class="cards list webhooks">
    <thead><tr><th scope="col">Endpoint</th><th scope="col">State</th><th scope="col">Events</th><th scope="col">Drops</th><th scope="col">Lag</th><th scope="col">Last success</th></tr></thead>
    <tbody>${webhooks.map((w) => html`<${Row} key=${w.id} webhook=${w} />`)}</tbody></table>`;
}

function Row({ webhook: w }) {
  const { host, plain, path } = addressOf(w.url);
  const [, , why] = stateOf(w);
  const [lag, waits] = lagOf(w);
  return html`<tr>
    <th scope="row"><a href=${href(`webhooks/${w.id}`)}>${host}</a>${path || plain ? html`<small>${path}${plain ? " (http)" : ""}</small>` : ""}${w.description ? html`<small><bdi>${w.description}</bdi></small>` : ""}</th>
    <td data-label="State"><div class="value"><${WebhookState} webhook=${w} />${why ? html`<small>${why}</small>` : ""}</div></td>
    <td data-label="Events"><${TypeChips} webhook=${w} short /></td>
    <td data-label="Drops"><${DropChips} webhook=${w} short /></td>
    <td data-label="Lag"><div class="value">${lag}${waits ? html`<small>${waits}</small>` : ""}</div></td>
    <td data-label="Last success">${w.last_success_at ? moment(Date.parse(w.last_success_at), now()) : "Never"}</td>
  </tr>`;
}
