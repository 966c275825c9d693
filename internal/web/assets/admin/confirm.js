import { useEffect, useRef } from "../vendor/preact.js";
import { html } from "../shared/html.js";
import { now } from "../shared/client.js";
import { whole } from "../shared/format.js";

const soon = 600_000; // ms: who is about to buy is there already

// sells says whether stopping a drop would take something away from buyers now.
export const sells = (drop) => !drop.archived && drop.available + drop.held > 0 && Date.parse(drop.start_time) <= now() + soon;

const questions = {
  pause: { verb: "Pause", effect: "Buyers cannot reserve until you resume it. Buyers who hold a pair can still pay." },
  hidden: { verb: "Hide", effect: "It disappears from the shop at once, for everyone who is looking at it. Buyers who hold a pair can still pay." },
  archived: { verb: "Archive", effect: "The drop is over at once: it disappears from the shop, and nobody can reserve. Buyers who hold a pair can still pay." },
};

// Confirm asks before a drop that sells is stopped. The focus is on Cancel, so that a second press of Enter stops
// nothing.
export function Confirm({ what, drop, go, close }) {
  const { verb, effect } = questions[what];
  const cancel = useRef();
  useEffect(() => cancel.current.focus(), []);
  const confirmed = () => {
    close();
    go();
  };
  const begun = Date.parse(drop.start_time) <= now();
  return html`<div>
    <h2 id="dialog-title">${verb} <bdi>${drop.name}</bdi>?</h2>
    <p>${begun ? "This drop is selling" : "This drop is about to start"}: ${whole(drop.available)} of ${whole(drop.total)} on sale, ${whole(drop.held)} held. ${effect}</p>
    <div class="buttons">
      <button type="button" class="primary" onClick=${confirmed}>${verb} drop</button>
      <button type="button" class="quiet" ref=${cancel} onClick=${close}>Cancel</button>
    </div>
  </div>`;
}
