import { html } from "../shared/html.js";
import { now } from "../shared/client.js";
import { countdown, money, plural, whole } from "../shared/format.js";
import { imageOf } from "../shared/image.js";
import { kindOf, startOf, StartOf } from "./state.js";

// Preview shows an operator the card of a drop that buyers cannot see. Nothing in it can be pressed.
export function Preview({ drop, close }) {
  const image = imageOf(drop.image_url || "");
  const waits = startOf(drop) > now();
  return html`<div>
    <h2 id="dialog-title">Preview of drop ${drop.id}</h2>
    <p class="hint">${kindOf(drop) === "draft" ? "Buyers cannot see this drop until you publish it." : "Buyers cannot see this drop."} Its card will look like this:</p>
    <div class="preview">
      <div class="picture">${image ? html`<img src=${image} alt="" referrerpolicy="no-referrer" />` : html`<p class="hint">No image</p>`}</div>
      <div class="body">
        <p class="title"><strong><bdi>${drop.name}</bdi></strong> <span>${money(drop.price)}</span></p>
        <p class="hint">${drop.total === 0 ? "Sold out" : `${whole(drop.available)} of ${whole(drop.total)} left`}</p>
        ${drop.sizes.length > 0 && html`<ul class="sizes" aria-label="Sizes">${drop.sizes.map((s) => html`<li key=${s.size}><bdi>${s.size}</bdi> <small>${whole(s.available)}</small></li>`)}</ul>`}
        <p class="fake">${waits ? `Starts in ${countdown(startOf(drop) - now())}` : drop.available > 0 ? "Reserve" : "Sold out"}</p>
        <p class="hint">${waits ? html`Starts <${StartOf} drop=${drop} />. ` : ""}${drop.limit_per_user ? `Limit: ${plural(drop.limit_per_user, "pair")} per person.` : ""}</p>
      </div>
    </div>
    <div class="buttons"><button type="button" class="quiet" onClick=${close}>Close</button></div>
  </div>`;
}
