import { mount } from "../shared/mount.js";
import { tell } from "../shared/topics.js";
import { App } from "./app.js";
import { recall } from "./buyer.js";
import { look, returned } from "./checkout.js";
import { takeCode } from "./codes.js";
import { recount } from "./hands.js";
import { start } from "./link.js";
import { arrived, changeOver, lookAtOffer } from "./signin.js";

// forgetLanguage takes the chosen language out of the address once the browser keeps it, so that whoever is sent the
// address gets the page in a language of their own.
function forgetLanguage() {
  const to = new URL(location.href);
  if (!to.searchParams.has("lang") || !document.cookie.includes("sneakerdrop-language=")) return;
  to.searchParams.delete("lang");
  history.replaceState(history.state, "", to);
}

function begin() {
  forgetLanguage();
  takeCode();
  arrived();
  returned();
  if (!mount(App)) return;
  start();
  const known = recall();
  known.then(recount);
  known.then(look);
  known.then(lookAtOffer);
  addEventListener("hashchange", () => {
    if (arrived()) changeOver();
    else known.then(lookAtOffer);
  });
  setInterval(() => tell("half-minute"), 30_000);
}

begin();
