import { html, render } from "../vendor/preact.js";
import { App } from "./app.js";
import { begin } from "./room.js";

const app = document.getElementById("app");
app.replaceChildren();
render(html`<${App} />`, app);
begin();
