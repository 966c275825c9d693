import { html } from "../shared/html.js";

// Table is one that scrolls in its own place.
export function Table({ label, head, rows, children }) {
  return html`<div class="scrolls" tabindex="0" role="region" aria-label=${label}><table>
    <thead><tr>${head.map((h) => html`<th key=${h} scope="col">${h}</th>`)}</tr></thead>
    <tbody>${rows}</tbody></table></div>${children}`;
}
