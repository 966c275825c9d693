import { useEffect, useRef } from "../vendor/preact.js";
import { html } from "../shared/html.js";
import { useTopic } from "../shared/topics.js";
import { openDialog } from "./modal.js";

// confirm asks before something is done that cannot be undone or that buyers notice at once, and promises the answer.
// title is the question, verb the button's word for yes. text says what happens; as a function it is drawn again with
// the figures.
export const confirm = ({ title, text, verb }) => new Promise((answer) => openDialog(Question, { title, text, verb, answer, ended: () => answer(false) }, "question"));

// The focus is on Cancel, so that a second press of Enter does nothing.
function Question({ title, text, verb, answer, close }) {
  useTopic("room");
  const cancel = useRef();
  useEffect(() => cancel.current.focus(), []);
  const yes = () => {
    answer(true);
    close();
  };
  return html`<div>
    <h2 id="question-title">${title}</h2>
    <p>${typeof text === "function" ? text() : text}</p>
    <div class="buttons">
      <button type="button" class="primary" onClick=${yes}>${verb}</button>
      <button type="button" class="quiet" ref=${cancel} onClick=${close}>Cancel</button>
    </div>
  </div>`;
}
