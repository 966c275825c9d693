import { html } from "../shared/html.js";
import { spoken } from "../shared/format.js";
import { t } from "../shared/messages.js";
import { explain } from "../shared/words.js";
import { focusDrop } from "./tray.js";
import { leave, placesOf } from "./waitlist.js";

// Places are a buyer's places in the lines of a drop, with the way out of each, and what became of those that ended
// without an offer.
export function Places({ drop }) {
  const places = placesOf(drop.id).filter((e) => ["waiting", "skipped", "closed"].includes(e.status));
  if (places.length === 0) return null;
  return html`<ul class="places" aria-label=${t("wait.title")}>${places.map((e) => html`<${Place} key=${e.id} entry=${e} />`)}</ul>`;
}

function Place({ entry }) {
  const { size, status, position, estimate, busy, problem } = entry;
  const of = size ? html`<span class="size">${t("hold.size", { size })}</span>` : "";
  if (status !== "waiting") return html`<li><p>${of}<strong>${status === "closed" ? t("refusal.no_waitlist") : t("wait.skipped")}</strong> ${status === "skipped" && html`<span>${why(entry.reason)}</span>`}</p></li>`;
  const out = async () => {
    await leave(entry);
    setTimeout(focusDrop, 100, entry.dropId);
  };
  return html`<li>
    <p>${of}<strong>${t("wait.position", { position })}</strong> ${estimate > 0 && html`<span>${t("wait.estimate", { time: spoken(estimate * 1000) })}</span>`}</p>
    <button type="button" class="quiet" aria-disabled=${busy === true} aria-busy=${busy === true} aria-label=${size ? `${t("wait.leave")} · ${t("hold.size", { size })}` : null} onClick=${out}>${busy ? t("dialog.working") : t("wait.leave")}</button>
    ${problem && html`<p class="problem">${explain(problem)}</p>`}
  </li>`;
}

// why is the rule that kept the buyer from an offer.
const why = (code) => (code === "cooldown" ? t("wait.cooldown") : explain({ code }));
