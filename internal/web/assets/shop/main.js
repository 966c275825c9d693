import { mount } from "../shared/mount.js";
import { tell } from "../shared/topics.js";
import { App } from "./app.js";
import { recall } from "./buyer.js";
import { recount } from "./hands.js";
import { start } from "./link.js";
import { arrived, changeOver, lookAtOffer } from "./signin.js";

function begin() {
  arrived();
  if (!mount(App)) return;
  start();
  const known = recall();
  known.then(recount);
  known.then(lookAtOffer);
  addEventListener("hashchange", () => {
    if (arrived()) changeOver();
    else known.then(lookAtOffer);
  });
  setInterval(() => tell("half-minute"), 30_000);
}

begin();
