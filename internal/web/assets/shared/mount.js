import { render } from "../vendor/preact.js";
import { html } from "./html.js";

// served is what the server sent of the page's content. It may be shown until there is something newer.
export const served = [];

// mount puts a page in place of what the server sent, and notes that it has started. It reports false where the
// browser was found too old, and was told so.
export function mount(App) {
  const { dataset } = document.documentElement;
  if (dataset.page === "refused") return false;
  const app = document.getElementById("app");
  served.push(...(app.querySelector("main")?.children ?? []));
  app.replaceChildren();
  render(html`<${App} />`, app);
  dataset.page = "started";
  return true;
}
