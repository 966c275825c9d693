import { useLayoutEffect, useRef } from "../vendor/preact.js";
import { html } from "./html.js";

// Dialog is modal. title is the id of its heading, and kind its class. Escape or a click outside closes it, and the
// focus returns to where it was.
export function Dialog({ open, close, title = "dialog-title", kind, children }) {
  const box = useRef();
  const wanted = useRef(open);
  wanted.current = open;
  // After every drawing: the browser may have closed the dialog, and the page have opened it again, between two of
  // them.
  useLayoutEffect(() => {
    if (open && !box.current.open) box.current.showModal();
    if (!open && box.current.open) box.current.close();
  });
  const beside = (e) => e.target === box.current && close();
  // Escape: whoever opened the dialog knows at once, not when the browser tells of the close. It may be opened again
  // before that.
  const escaped = (e) => {
    if (e.target !== box.current) return;
    e.preventDefault();
    wanted.current = false; // a browser may close it all the same, and tells of that before the next drawing
    close();
  };
  // The event comes some time after a close: by then the dialog may be open again.
  const closed = () => wanted.current && !box.current.open && close();
  return html`<dialog ref=${box} class=${kind} aria-labelledby=${title} onCancel=${escaped} onClose=${closed} onMouseDown=${beside}>
    ${open && html`<div class="sheet">${children}</div>`}
  </dialog>`;
}
