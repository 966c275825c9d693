import { html, render } from "../vendor/preact.js";
import { measure } from "../shared/clock.js";
import { tell } from "../shared/topics.js";
import { App } from "./app.js";
import { recall, takeToken } from "./buyer.js";
import { loadAll } from "./catalog.js";
import { recount } from "./hands.js";
import { resync, signInAnew, start } from "./link.js";

takeToken();
const listed = loadAll();
const known = recall();
const app = document.getElementById("app");
app.replaceChildren();
render(html`<${App} />`, app);
known.then(recount);
listed.catch(() => {}).then(() => {
  measure();
  start();
});

addEventListener("hashchange", () => {
  if (takeToken()) recall().then(recount).then(signInAnew);
});
document.addEventListener("visibilitychange", () => document.hidden || resync());
setInterval(() => tell("half-minute"), 30_000);
