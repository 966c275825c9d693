import { html } from "../shared/html.js";

// Table scrolls sideways in its own place; a tall one is as high as its rows.
export function Table({ label, head, rows, tall = false, children }) {
  return html`<div class=${tall ? "scrolls tall" : "scrolls"} tabindex="0" role="region" aria-label=${label}><table>
    <thead><tr>${head.map((h) => html`<th key=${h} scope="col">${h}</th>`)}</tr></thead>
    <tbody>${rows}</tbody></table></div>${children}`;
}
