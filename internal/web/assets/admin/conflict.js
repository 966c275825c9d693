// Two operators saved one page. This shows what differs and lets the second one choose. Nothing is lost either way.
import { html } from "../shared/html.js";
import { now } from "../shared/client.js";
import { moment } from "../shared/format.js";

const parts = [["images", "Pictures"], ["description", "Description"], ["size_guide", "Size guide"], ["rules", "Rules"], ["delivery", "Delivery"]];

// linesOf are the lines of a part, in which pictures have one each.
const linesOf = (page, name) => (name === "images" ? page.images.map(({ url, alt }) => (alt ? `${url} (${alt})` : url)) : page[name].split("\n"));

// savedAt says when the page was saved.
export const savedAt = (page) => moment(Date.parse(page.updated_at), now());

// Conflict compares mine, the page in the form, with theirs, the one that is saved.
export function Conflict({ mine, theirs, load, save, close }) {
  const then = (act) => () => {
    close();
    act();
  };
  const differing = parts.map(([name, label]) => ({ name, label, left: linesOf(mine, name), right: linesOf(theirs, name) }))
    .filter(({ left, right }) => left.join("\n") !== right.join("\n"));
  return html`<div class="conflict">
    <h2 id="dialog-title">Someone else saved this page</h2>
    <p>It was saved ${savedAt(theirs)}, after you opened it. Your text is still in the form and is not saved yet. Lines that only one side has are marked.</p>
    ${differing.map(({ name, label, left, right }) => html`<section key=${name}>
      <h3>${label}</h3>
      <div class="versions"><${Version} title="Yours" lines=${left} others=${right} /><${Version} title="Saved" lines=${right} others=${left} /></div>
    </section>`)}
    ${differing.length === 0 && html`<p>Both versions say the same.</p>`}
    <div class="buttons">
      <button type="button" class="primary" onClick=${then(save)}>Save mine</button>
      <button type="button" class="quiet" onClick=${then(load)}>Load theirs</button>
      <button type="button" class="quiet" onClick=${close}>Keep editing</button>
    </div>
    <p class="hint">Save mine replaces what they saved. Load theirs replaces your text; you can undo that.</p>
  </div>`;
}
Conflict.wide = true;

function Version({ title, lines, others }) {
  const same = new Set(others);
  const empty = lines.every((line) => line === "");
  return html`<div><h4>${title}</h4>${empty
    ? html`<p class="hint">Empty</p>`
    : html`<ul tabindex="0" aria-label=${title}>${lines.map((line, i) => html`<li key=${i}>${same.has(line) ? html`<span>${line}</span>` : html`<mark>${line}</mark>`}</li>`)}</ul>`}</div>`;
}
