import { html } from "../shared/html.js";

// Table scrolls sideways in its own place; a tall one is as high as its rows. On a phone the rows of a tall one are
// cards, in which each cell names its column. The values of the columns in numbers stand under each other.
export function Table({ label, head, rows, numbers = [], tall = false, children }) {
  const classOf = (name) => (numbers.includes(name) ? "number" : null);
  for (const row of rows) named(row, head, classOf);
  return html`<div class=${tall ? "scrolls tall" : "scrolls"} tabindex="0" role="region" aria-label=${label}><table>
    <thead><tr>${head.map((h) => html`<th key=${h} scope="col" class=${classOf(h)}>${h}</th>`)}</tr></thead>
    <tbody>${rows}</tbody></table></div>${children}`;
}

// named gives the cells of a row the name of their column, before they are drawn.
function named(row, head, classOf) {
  [row.props.children].flat(Infinity).forEach((cell, i) => {
    cell.props["data-label"] = head[i];
    if (classOf(head[i])) cell.props.class = classOf(head[i]);
  });
}
