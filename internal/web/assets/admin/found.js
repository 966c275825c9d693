import { useEffect, useReducer, useRef } from "../vendor/preact.js";
import { html } from "../shared/html.js";
import { explain } from "../shared/words.js";

const page = 50;
const pace = 4000; // ms between two looks

// useFound is a list that the server gives page by page. ask(before, limit) returns {rows, next}; next null ends the
// list. Another key asks anew; an answer to what was asked before that no longer counts.
export function useFound(ask, key) {
  const [, draw] = useReducer((n) => n + 1, 0);
  const list = useRef({ run: 0, rows: [], next: null, busy: true, refusal: null, asked: false }).current;
  const read = async (begin) => {
    if (list.busy && !begin) return;
    const mine = begin ? ++list.run : list.run;
    list.busy = true;
    draw();
    try {
      // A search that takes long answers in parts.
      let [before, rows] = begin ? [undefined, []] : [list.next, list.rows];
      const wanted = rows.length + page;
      do {
        const answer = await ask(before, page);
        if (mine !== list.run) return;
        rows = [...rows, ...answer.rows];
        before = answer.next;
        Object.assign(list, { rows, next: before, asked: true, refusal: null });
        draw();
      } while (before !== null && rows.length < wanted);
    } catch (refusal) {
      if (mine !== list.run) return;
      list.refusal = refusal;
      if (begin) Object.assign(list, { rows: [], next: null });
    }
    list.busy = false;
    draw();
  };
  // put changes rows in place, as an action on one of them did at the server.
  const put = (change) => {
    list.rows = list.rows.map(change);
    draw();
  };
  useEffect(() => {
    read(true);
    return () => void list.run++;
  }, [key]);
  return { ...list, page, more: () => read(false), again: () => read(true), put };
}

// useNew looks again from time to time, as long as the list is no longer than its first page.
export function useNew(list) {
  const latest = useRef(list);
  latest.current = list;
  useEffect(() => {
    const timer = setInterval(() => {
      const { busy, rows, page: first, again } = latest.current;
      if (!busy && !document.hidden && rows.length <= first) again();
    }, pace);
    return () => clearInterval(timer);
  }, []);
}

// Found shows the end of such a list: why it could not be read, that it is empty, or how to get more of it.
export function Found({ list, none, children }) {
  return html`${list.refusal && html`<p class="problem" role="alert">${explain(list.refusal)} <button type="button" class="quiet" onClick=${list.again}>Try again</button></p>`}
    ${list.rows.length > 0 && children}
    ${list.rows.length === 0 && !list.refusal && html`<p class="choose" role="status">${list.busy ? "Loading…" : none}</p>`}
    ${list.next !== null && list.rows.length > 0 && html`<button type="button" class="quiet more" aria-disabled=${list.busy} aria-busy=${list.busy} onClick=${list.more}>${list.busy ? "Loading…" : "Show more"}</button>`}`;
}

// useTyped calls settle with what was typed once nobody has pressed a key for a moment.
export function useTyped(settle) {
  const timer = useRef(0);
  useEffect(() => () => clearTimeout(timer.current), []);
  return (e) => {
    const { value } = e.currentTarget;
    clearTimeout(timer.current);
    timer.current = setTimeout(() => settle(value.trim()), 250);
  };
}
