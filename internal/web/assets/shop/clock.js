import { html } from "../shared/html.js";
import { now } from "../shared/client.js";
import { countdown } from "../shared/format.js";
import { dates } from "../shared/locale.js";
import { t } from "../shared/messages.js";
import { useSeconds } from "../shared/ticker.js";
import { calendar } from "./icons.js";

const inFull = dates({ weekday: "long", day: "numeric", month: "long", hour: "numeric", minute: "2-digit", timeZoneName: "short" });
const zone = new Intl.DateTimeFormat("en").resolvedOptions().timeZone || "UTC";
const units = [[Infinity, 86_400, "card.clock_days"], [86_400, 3600, "card.clock_hours"], [3600, 60, "card.clock_minutes"], [60, 1, "card.clock_seconds"]];

// Clock counts down to a start in large figures, on the server's clock, and says when that is where the reader is.
export function Clock({ to, id }) {
  useSeconds();
  const left = Math.max(0, Math.ceil((to - now()) / 1000));
  const figure = ([whole, part, name]) => {
    const n = Math.floor((left % whole) / part);
    return html`<div key=${name} class="unit"><b translate=${false}>${String(n).padStart(2, "0")}</b><span>${t(name, { n })}</span></div>`;
  };
  return html`<div class="clock">
    <p class="caption" aria-hidden="true">${t("card.clock_caption")}</p>
    <div class="digits" role="timer" aria-label=${t("card.starts_in", { countdown: countdown(left * 1000) })}>${units.filter(([, part]) => part < 86_400 || left >= part).map(figure)}</div>
    <p class="starts"><strong>${inFull(to)}</strong> <span>${t("card.clock_zone", { zone: zone.replace(/_/g, " ") })}</span></p>
    <p class="links"><a href=${`/drops/${id}.ics`}>${calendar()}<span>${t("card.calendar")}</span></a></p>
  </div>`;
}
