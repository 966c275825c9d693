// The dialogs of the control room, and the one notice at its foot. Any page may open them.
import { html } from "../shared/html.js";
import { Dialog } from "../shared/dialog.js";
import { flush, tell, useTopic } from "../shared/topics.js";

// draw shows a change of the dialog or the notice at once.
function draw(topic) {
  tell(topic);
  flush();
}

// A question may stand above a dialog: whoever says no is back in the form.
const places = { dialog: null, question: null };

// openDialog shows a component with those properties, and with close, which it calls when it is done. ended is called
// however the dialog closes.
export function openDialog(View, props = {}, place = "dialog") {
  places[place]?.ended();
  places[place] = { View, props, ended: props.ended ?? (() => {}) };
  draw("dialog");
}

function close(place) {
  const was = places[place];
  places[place] = null;
  draw("dialog");
  was?.ended();
}

const closeDialog = () => close("dialog");
const closeQuestion = () => close("question");

export function Modal() {
  useTopic("dialog");
  const { dialog, question } = places;
  return html`<${Dialog} open=${dialog !== null} close=${closeDialog} kind=${dialog?.View.wide ? "wide" : undefined}>${dialog && html`<${dialog.View} ...${dialog.props} close=${closeDialog} />`}<//>
    <${Dialog} open=${question !== null} close=${closeQuestion} title="question-title">${question && html`<${question.View} ...${question.props} close=${closeQuestion} />`}<//>`;
}

let notice = null;
let timer = 0;
const shown = 12_000; // ms

function end() {
  notice = null;
  draw("toast");
}

const wait = () => {
  clearTimeout(timer);
  timer = setTimeout(end, shown);
};

// toast tells what was done. undo, if it is given, is called when the operator takes it back; it returns a promise of
// what to say then, or throws why that failed.
export function toast(text, undo = null) {
  notice = { text, undo, busy: false };
  draw("toast");
  wait();
}

export function Toast({ explain }) {
  useTopic("toast");
  const takeBack = async () => {
    const { undo, busy } = notice;
    if (busy) return;
    clearTimeout(timer);
    notice = { ...notice, busy: true };
    draw("toast");
    try {
      toast(await undo());
    } catch (refusal) {
      toast(`Undo failed. ${explain(refusal)}`);
    }
  };
  // It stays as long as somebody points at it or has the focus in it.
  const stay = () => clearTimeout(timer);
  return html`<div class="toast" role="status">${notice && html`<div onMouseEnter=${stay} onFocusIn=${stay} onMouseLeave=${wait} onFocusOut=${wait}>
    <p>${notice.text}</p>
    ${notice.undo && html`<button type="button" class="undo" aria-disabled=${notice.busy} onClick=${takeBack}>${notice.busy ? "Undoing…" : "Undo"}</button>`}
    <button type="button" class="dismiss" aria-label="Dismiss" onClick=${end}>×</button>
  </div>`}</div>`;
}
