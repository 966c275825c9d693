import { useLayoutEffect, useRef } from "../vendor/preact.js";
import { html } from "../shared/html.js";
import { t } from "../shared/messages.js";
import { served } from "../shared/mount.js";
import { Shoe } from "../shared/sneaker.js";
import { explain } from "../shared/words.js";
import { catalog } from "./catalog.js";
import { loadAll } from "./link.js";

// Waiting stands in for the drops until they are here: what the server sent, or their shape. Unreachable says that they
// did not come.
export function Waiting({ large = false }) {
  if (catalog.failed) return html`<${Unreachable} />`;
  if (served.some((e) => e.querySelector(".price"))) return html`<${Served} />`;
  if (large) return html`<div class="first" aria-busy="true"><div class="card wide ghost" /></div>`;
  return html`<div class="drops" aria-busy="true">${[1, 2, 3].map((n) => html`<div key=${n} class="card ghost" />`)}</div>`;
}

function Served() {
  const box = useRef();
  useLayoutEffect(() => box.current.append(...served), []);
  return html`<div ref=${box} aria-busy="true" />`;
}

function Unreachable() {
  return html`<${Empty} title=${t("shop.unreachable")} hint=${explain(catalog.failed)}>
    <button type="button" class="primary" onClick=${loadAll}>${t("shop.retry")}</button>
  <//>`;
}

// Empty stands where there are no drops, and says why. Its children say where to go.
export function Empty({ title, hint, children }) {
  return html`<div class="empty">
    <svg class="sneaker" viewBox="40 110 320 150" aria-hidden="true" focusable="false"><${Shoe} /></svg>
    <h1>${title}</h1>
    <p>${hint}</p>
    ${children}
  </div>`;
}
