import { useEffect, useRef, useState } from "../vendor/preact.js";
import { html } from "../shared/html.js";
import { identity, shop } from "../shared/config.js";
import { now } from "../shared/client.js";
import { whole } from "../shared/format.js";
import { Dialog } from "../shared/dialog.js";
import { useSeconds } from "../shared/ticker.js";
import { useTopic } from "../shared/topics.js";
import { explain } from "../shared/words.js";
import { Confirm } from "./confirm.js";
import { Detail } from "./detail.js";
import { Create, Edit, Restock } from "./forms.js";
import { dropOf, enter, leave, room, watch } from "./room.js";
import { Service } from "./service.js";
import { StartOf, stateOf } from "./state.js";

const asked = () => Number(/^#\/(\d+)$/.exec(location.hash)?.[1] || 0);

export function App() {
  useTopic("room");
  const [dialog, show] = useState(null);
  const [id, go] = useState(asked());
  useEffect(() => {
    const follow = () => go(asked());
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  useEffect(() => void (room.admitted && watch(id)), [id, room.admitted]);
  const close = () => show(null);
  const drop = dropOf(id);
  return html`
    <header class="top">
      <p class="shop"><bdi>${shop}</bdi> <span>control room</span></p>
      ${room.admitted && identity && html`<button type="button" class="quiet" onClick=${leave}>Sign out</button>`}
    </header>
    <div class="banner" role="status">${room.admitted && room.problem && html`<p>${explain(room.problem)} Figures may be out of date. Retrying…</p>`}</div>
    ${!room.admitted ? html`<${Enter} />` : html`<main id="main" class=${id ? "split open" : "split"} tabindex="-1">
      <div class="side">
        <div class="head"><h1>Drops</h1><button type="button" class="primary" onClick=${() => show("create")}>New drop</button></div>
        <${List} id=${id} />
        <${Service} />
      </div>
      <div class="main">${drop ? html`<${Detail} key=${id} drop=${drop} show=${show} />` : html`<p class="choose">${id && room.figures ? "There is no such drop." : "Choose a drop to see how it sells."}</p>`}</div>
    </main>`}
    <${Dialog} open=${dialog !== null} close=${close}>
      ${dialog?.confirm && drop && html`<${Confirm} what=${dialog.confirm} drop=${drop} go=${dialog.go} close=${close} />`}
      ${dialog === "create" && html`<${Create} close=${close} open=${(made) => (location.hash = `#/${made}`)} />`}
      ${dialog === "edit" && drop && html`<${Edit} drop=${drop} close=${close} />`}
      ${dialog === "restock" && drop && html`<${Restock} drop=${drop} close=${close} />`}
    <//>`;
}

function Enter() {
  const [problem, refuse] = useState(room.problem ? explain(room.problem) : null);
  const field = useRef();
  useEffect(() => field.current.focus(), []);
  const submit = async (e) => {
    e.preventDefault();
    refuse(null);
    try {
      await enter(field.current.value.trim());
    } catch (refusal) {
      refuse(refusal.code === "forbidden" ? "That is a buyer's token; this page needs an operator's." : explain(refusal));
      field.current.focus();
    }
  };
  return html`<main id="main" class="enter" tabindex="-1"><form onSubmit=${submit} novalidate>
    <h1>Control room</h1>
    <p id="token-hint">Sign in with an operator's or a viewer's token. It stays in this tab until you close it.</p>
    <div class="field"><label for="token">Token</label>
      <input id="token" ref=${field} type="password" autocomplete="off" spellcheck="false" aria-describedby="token-hint token-problem" />
      <p class="problem" id="token-problem" role="alert">${problem}</p></div>
    <div class="buttons"><button type="submit" class="primary">Sign in</button></div>
  </form></main>`;
}

function List({ id }) {
  useTopic("room");
  useSeconds();
  const [over, showOver] = useState(false);
  if (!room.figures) return html`<p class="choose">${room.problem ? explain(room.problem) : "One moment …"}</p>`;
  const drops = room.figures.drops.filter((d) => over || !d.archived || d.id === id).reverse();
  const archived = room.figures.drops.filter((d) => d.archived).length;
  return html`<nav aria-label="Drops"><ul class="list">
    ${drops.length === 0 && html`<li class="choose">No drops yet. Make the first one.</li>`}
    ${drops.map((d) => html`<li key=${d.id}><a href=${`#/${d.id}`} aria-current=${d.id === id ? "page" : null}>
      <span class="name"><bdi>${d.name}</bdi></span><span class=${`state ${stateOf(d)[0]}`}>${stateOf(d)[1]}</span>
      <${Shares} drop=${d} />
      <span class="numbers">${whole(d.available)} on sale · ${whole(d.held)} held · ${whole(d.sold)} sold</span>
      ${!d.archived && Date.parse(d.start_time) > now() && html`<span class="numbers">Starts <${StartOf} drop=${d} /></span>`}
    </a></li>`)}
  </ul>
  ${archived > 0 && html`<button type="button" class="quiet more" aria-pressed=${over} onClick=${() => showOver(!over)}>${over ? "Leave out" : "Show"} ${whole(archived)} archived</button>`}</nav>`;
}

function Shares({ drop }) {
  const of = (n) => ({ flexGrow: String(n) });
  return html`<span class="shares" aria-hidden="true"><i class="sold" style=${of(drop.sold)} /><i class="held" style=${of(drop.held)} /><i class="available" style=${of(drop.available)} /></span>`;
}
