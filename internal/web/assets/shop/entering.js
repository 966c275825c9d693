// What a drop's card shows of its draw: when it opens and closes, the way in and out, and the result.
import { useState } from "../vendor/preact.js";
import { now } from "../shared/client.js";
import { countdown, moment, spoken, whole } from "../shared/format.js";
import { html } from "../shared/html.js";
import { rich, t } from "../shared/messages.js";
import { say } from "../shared/say.js";
import { useSeconds } from "../shared/ticker.js";
import { explain } from "../shared/words.js";
import { stageOf } from "./catalog.js";
import { codeOf, isOfCode } from "./codes.js";
import { enter, entryOf, knowsDraws, saveReceipt, withdraw } from "./draw.js";
import { Early, earlyOf } from "./early.js";
import { hands } from "./hands.js";
import { focusDrop } from "./tray.js";
import { placesOf } from "./waitlist.js";

const timeOf = (at) => moment(Date.parse(at), now());

const day = 86_400_000; // ms

// DrawBadge counts down to the opening of a draw, and then to its close, on the last day.
export function DrawBadge({ drop }) {
  useSeconds();
  if (!knowsDraws()) return null;
  const { opens, closes } = drop.draw;
  const stage = stageOf(drop);
  if (stage === "closed") return html`<p class="badge paused">${t("draw.closed")}</p>`;
  const to = stage === "soon" ? opens : closes;
  const said = t(stage === "soon" ? "draw.opens" : "draw.closes", { time: timeOf(to) });
  if (Date.parse(to) - now() > day) return null; // the button and its note say it
  const left = html`<span translate=${false}>${countdown(Date.parse(to) - now())}</span>`;
  return html`<p class=${`badge ${stage}`}><span role="timer" aria-label=${said}>${rich(stage === "soon" ? "draw.opens_in" : "draw.closes_in", { countdown: left })}</span></p>`;
}

// Entering stands where a card else has its sizes and its button, until the result is there.
export function Entering({ drop, ask, Around }) {
  useSeconds();
  const [ranked, rank] = useState([]);
  if (!knowsDraws()) return html`<div class="action"><button class="primary" type="button" aria-disabled="true">${t("dialog.working")}</button></div>`;
  const stage = stageOf(drop);
  const entry = entryOf(drop.id);
  const asking = hands.asking.has(drop.id);
  const notice = hands.notices.get(drop.id);
  const early = earlyOf(drop);
  const open = (stage === "open" || early.lets) && !entry;
  const sizeless = open && drop.sizes && ranked.length === 0; // the button leads to the sizes
  const click = () => {
    if (sizeless) document.querySelector(`#drop-${drop.id} .sizes input:enabled`)?.focus();
    else if (open && !asking) ask(() => enter(drop.id, drop.sizes ? ranked : [], early.asks ? codeOf(drop.id) : ""));
  };
  const told = early.asks && isOfCode(notice) ? null : notice; // the field says the rest
  const hint = stage === "closed" ? t("draw.closed_hint") : t("draw.hint", { time: timeOf(drop.draw.closes), pay: spoken(drop.draw.pay_within * 1000) });
  return html`${drop.sizes && !entry && html`<${Around}><${Ranking} drop=${drop} ranked=${ranked} rank=${rank} shut=${!open || asking} /><//>`}
    <${Entry} drop=${drop} />
    ${!entry && html`<${Early} drop=${drop} early=${early} go=${click} />`}
    <div class="action">
      <button class=${`primary${sizeless ? " choose" : ""}`} type="button" aria-disabled=${!open || asking} aria-busy=${asking} aria-describedby=${`drop-${drop.id}-name drop-${drop.id}-note`} onClick=${click}>${asking ? t("dialog.working") : labelOf(drop, early.lets ? "open" : stage, entry, sizeless)}</button>
      <p class=${`note${told ? " refused" : ""}`} id=${`drop-${drop.id}-note`}><span>${told ? explain(told) : hint}</span></p>
    </div>`;
}

function labelOf(drop, stage, entry, sizeless) {
  if (entry?.status === "removed") return t("draw.removed");
  if (entry) return t("draw.entered");
  if (stage === "soon") return t("draw.opens", { time: timeOf(drop.draw.opens) });
  if (stage === "closed") return t("draw.closed");
  return t(sizeless ? "draw.select_sizes" : "draw.enter");
}

const most = 10; // sizes that the server takes

// Ranking chooses sizes by check boxes: the order in which they are checked is that of preference.
function Ranking({ drop, ranked, rank, shut }) {
  const long = drop.sizes.some((s) => [...s.size].length > 5);
  const choose = (size) => {
    const next = ranked.includes(size) ? ranked.filter((s) => s !== size) : [...ranked, size];
    rank(next);
    if (next.length > 0) say(next.map((s, i) => `${t("draw.choice", { number: i + 1 })}: ${t("hold.size", { size: s })}`).join(", "));
  };
  return html`<fieldset class=${`sizes${long ? " long" : ""}`} disabled=${shut}>
    <legend>${t("draw.sizes")}</legend>
    ${drop.sizes.map(({ size, available_stock: n }) => {
      const place = ranked.indexOf(size) + 1;
      return html`<label key=${size} class=${place > 0 ? "picked" : ""}>
        <input type="checkbox" value=${size} checked=${place > 0} disabled=${place === 0 && ranked.length === most} onChange=${() => choose(size)} />
        <span class="label" translate=${false}><bdi>${size}</bdi></span>
        <span class="count">${place > 0 ? t("draw.choice", { number: place }) : html`<span aria-hidden="true">${whole(n)}</span><span class="sr">${t("card.size_left", { n })}</span>`}</span>
      </label>`;
    })}
  </fieldset>`;
}

// Entry is the buyer's entry in a draw: the way out, the receipt, and how it ended.
export function Entry({ drop }) {
  if (!knowsDraws()) return null;
  const entry = entryOf(drop.id);
  const stage = stageOf(drop);
  const links = stage === "drawn" && html`<p class="links"><a href="/verify">${t("draw.check")}</a><a href=${`/api/drops/${drop.id}/draw`} download=${`draw-${drop.id}.json`}>${t("draw.record")}</a></p>`;
  if (!entry) return links;
  const { sizes = [], status, reason, receipt, result, busy, problem } = entry;
  const out = async () => {
    await withdraw(entry);
    setTimeout(focusDrop, 100, drop.id);
  };
  const wanted = sizes.length > 0 && html`<span>${sizes.map((size, i) => html`<bdi key=${size}>${i > 0 ? " · " : ""}${size}</bdi>`)}</span>`;
  return html`<ul class="places"><li>
      <p><strong>${headOf(drop, entry)}</strong>${status === "removed" ? html`<span><bdi>${reason}</bdi></span>` : result && !result.won ? html`<span>${result.place ? t("draw.runner_up", { number: result.place }) : ""}</span>` : wanted}</p>
      ${status === "entered" && ["soon", "open"].includes(stage) && html`<button type="button" class="quiet" aria-disabled=${busy === true} aria-busy=${busy === true} onClick=${out}>${busy ? t("dialog.working") : t("draw.withdraw")}</button>`}
      ${problem && html`<p class="problem">${explain(problem)}</p>`}
    </li>
    ${receipt && html`<li><p><span>${t("draw.receipt_hint")}</span></p><button type="button" class="quiet" onClick=${() => saveReceipt(entry)}>${t("draw.receipt")}</button></li>`}
  </ul>${links}`;
}

// headOf says how an entry stands. Who has won is told so among the holds as well, until the time to pay is over.
function headOf(drop, { status, result }) {
  if (status === "removed") return t("draw.removed");
  if (!result) return t("draw.entered");
  if (!result.won) return t("draw.lost");
  if (placesOf(drop.id).some((e) => e.status === "offered" && ["expired", "cancelled"].includes(e.reservation?.status) && (e.size ?? "") === (result.size ?? ""))) return t("draw.missed");
  return result.size ? `${t("draw.won")} · ${t("hold.size", { size: result.size })}` : t("draw.won");
}
