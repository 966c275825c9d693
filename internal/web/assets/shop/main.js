import { measure } from "../shared/clock.js";
import { mount } from "../shared/mount.js";
import { tell } from "../shared/topics.js";
import { App } from "./app.js";
import { recall } from "./buyer.js";
import { loadAll } from "./catalog.js";
import { recount } from "./hands.js";
import { resync, start } from "./link.js";
import { arrived, changeOver, lookAtOffer } from "./signin.js";

function begin() {
  arrived();
  const listed = loadAll();
  const known = recall();
  if (!mount(App)) return;
  known.then(recount);
  known.then(lookAtOffer);
  listed.catch(() => {}).then(() => {
    measure();
    start();
  });
  addEventListener("hashchange", () => {
    if (arrived()) changeOver();
    else known.then(lookAtOffer);
  });
  document.addEventListener("visibilitychange", () => document.hidden || resync());
  addEventListener("pageshow", (e) => e.persisted && resync()); // kept by the browser as it was, and shown again
  setInterval(() => tell("half-minute"), 30_000);
}

begin();
