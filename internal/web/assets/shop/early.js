// Early access to a drop: when there is some, and the field for a code. Lists of buyers are the server's: who is on one
// needs no code.
import { now } from "../shared/client.js";
import { moment } from "../shared/format.js";
import { html } from "../shared/html.js";
import { knows, t } from "../shared/messages.js";
import { explain } from "../shared/words.js";
import { phaseOf, stageOf } from "./catalog.js";
import { isOfCode, keep, longest, typedOf } from "./codes.js";
import { changed, hands } from "./hands.js";

// knowsEarly says whether the page has the texts of early access.
export const knowsEarly = () => knows("early.line");

const at = (text) => Date.parse(text);

// earlyOf says what early access means for a drop now. ahead: buyers without it have to wait. soon, open: it is not
// there yet, or is there. lets: the buyer wants to use it. asks: there is a field for a code. unfolded says that the
// buyer wants that field after the start, too.
export function earlyOf(drop, unfolded) {
  const { early } = drop;
  const phase = phaseOf(drop);
  const ahead = phase === "soon" || (phase === "draw" && stageOf(drop) === "soon");
  const there = early && knowsEarly() && now() < at(early.ends) && (ahead || ["open", "out"].includes(phase));
  const open = Boolean(there && now() >= at(early.starts));
  const lets = open && (ahead || unfolded);
  return { ahead, soon: Boolean(there && !open), open, lets, asks: lets && early.codes };
}

// momentOf is when early access begins or ends next; Infinity: never.
export const momentOf = ({ early }) => Math.min(...[early?.starts, early?.ends].map((s) => (s ? at(s) : 0)).filter((ms) => ms > now()));

// Early stands above the button of a drop. go does what the button does.
export function Early({ drop, early, unfold, go }) {
  const { ahead, soon, open, lets, asks } = early;
  if (!open && !(soon && ahead)) return null;
  const { starts, ends, codes: coded } = drop.early;
  const id = `code-${drop.id}`;
  const notice = hands.notices.get(drop.id);
  const wrong = isOfCode(notice) ? notice : null;
  const submit = (e) => {
    e.preventDefault();
    go();
  };
  const typed = (e) => {
    keep(drop.id, e.currentTarget.value);
    if (!wrong) return;
    hands.notices.delete(drop.id);
    changed(drop.id);
  };
  const time = (text) => moment(at(text), now());
  return html`<form class="places" onSubmit=${submit} novalidate>
    ${ahead
      ? html`<p><span>${t("early.line", { start: time(starts), end: time(ends) })}</span></p>`
      : html`<button type="button" class="quiet" aria-expanded=${lets} onClick=${() => unfold(!lets)}>${t(coded ? "early.have_code" : "early.listed")}</button>`}
    ${asks && html`<label for=${id}>${t("early.code")}</label>
      <input id=${id} value=${typedOf(drop.id)} maxlength=${longest} autocomplete="off" autocapitalize="characters" spellcheck=${false} aria-describedby=${`${id}-hint ${id}-problem`} aria-invalid=${wrong !== null} onInput=${typed} />
      <p id=${`${id}-hint`}><span>${t("early.hint")}</span></p>
      <p class="problem" id=${`${id}-problem`}>${wrong && explain(wrong)}</p>`}
  </form>`;
}
