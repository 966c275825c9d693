import { useEffect } from "../vendor/preact.js";
import { shop } from "../shared/config.js";
import { html } from "../shared/html.js";
import { isolated } from "../shared/typed.js";

// Page is the frame of every page: its heading, which gets the focus when the page is opened, and its main actions.
// title is plain text, also for the browser's tab; heading replaces it in the page.
export function Page({ title, heading, back, actions, children }) {
  useEffect(() => void (document.title = `${title} · Control room · ${isolated(shop)}`), [title]);
  return html`<div class="page">
    ${back}
    <header class="head"><h1 id="title" tabindex="-1">${heading ?? title}</h1>${actions && html`<div class="actions">${actions}</div>`}</header>
    ${children}
  </div>`;
}
