// The one dialog of the control room, and the one notice at its foot. Any page may open them.
import { html } from "../shared/html.js";
import { Dialog } from "../shared/dialog.js";
import { flush, tell, useTopic } from "../shared/topics.js";

let open = null;

// draw shows a change of the dialog or the notice at once.
function draw(topic) {
  tell(topic);
  flush();
}

// openDialog shows a component with those properties, and with close, which it calls when it is done.
export function openDialog(View, props = {}) {
  open?.ended();
  open = { View, props, ended: props.ended ?? (() => {}) };
  draw("dialog");
}

function close() {
  const was = open;
  open = null;
  draw("dialog");
  was?.ended();
}

export function Modal() {
  useTopic("dialog");
  return html`<${Dialog} open=${open !== null} close=${close}>${open && html`<${open.View} ...${open.props} close=${close} />`}<//>`;
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
