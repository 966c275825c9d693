import { logo, shop } from "./config.js";
import { html } from "./html.js";

// Brand is the shop's logo, or its name where it has none.
export function Brand() {
  return html`<p class="shop">${logo ? html`<img class="logo" src=${logo} alt=${shop} />` : html`<bdi>${shop}</bdi>`}</p>`;
}
