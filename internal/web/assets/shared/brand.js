import { logo, shop } from "./config.js";
import { html } from "./html.js";

// Brand is the shop's logo, or its name where it has none. With href it leads there.
export function Brand({ href }) {
  const mark = logo ? html`<img class="logo" src=${logo} alt=${shop} />` : html`<bdi>${shop}</bdi>`;
  return html`<p class="shop">${href ? html`<a href=${href}>${mark}</a>` : mark}</p>`;
}
