import { useEffect, useLayoutEffect, useRef, useState } from "../vendor/preact.js";
import { html } from "../shared/html.js";
import { identity, shop } from "../shared/config.js";
import { useTopic } from "../shared/topics.js";
import { explain } from "../shared/words.js";
import { Modal, Toast } from "./modal.js";
import { Page } from "./page.js";
import { pages } from "./pages.js";
import { enter, leave, room } from "./room.js";
import { placeOf, route } from "./routes.js";

export function App() {
  useTopic("room");
  useTopic("route");
  const [menu, openMenu] = useState(false);
  const button = useRef();
  const place = placeOf(route);
  const shown = useRef(place);
  // Who opens another page finds the focus at its heading; who only opened the control room keeps the browser's.
  useLayoutEffect(() => {
    if (shown.current === place || !room.admitted) return;
    shown.current = place;
    openMenu(false);
    scrollTo(0, 0);
    document.getElementById("title")?.focus({ preventScroll: true });
  }, [place]);
  const escape = (e) => {
    if (e.key !== "Escape" || !menu) return;
    openMenu(false);
    button.current.focus();
  };
  const found = pages.find((p) => p.name === route.page);
  return html`<div class="frame" onKeyDown=${escape}>
    <header class="top">
      ${room.admitted && html`<button type="button" class="quiet menu" ref=${button} aria-expanded=${menu} aria-controls="menu" onClick=${() => openMenu(!menu)}><span>Menu</span></button>`}
      <p class="shop"><bdi>${shop}</bdi> <span>control room</span></p>
      ${room.admitted && identity && html`<button type="button" class="quiet" onClick=${leave}>Sign out</button>`}
    </header>
    <div class="banner" role="status">${room.admitted && room.problem && html`<p>${explain(room.problem)} Figures may be out of date. Retrying…</p>`}</div>
    ${!room.admitted ? html`<${Enter} />` : html`<div class="room">
      <nav id="menu" class=${menu ? "pages open" : "pages"} aria-label="Control room"><ul>
        ${pages.map((p) => html`<li key=${p.name}><a href=${`#/${p.name}`} aria-current=${p === found ? "page" : null} onClick=${() => openMenu(false)}>
          <svg viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d=${p.icon} /></svg><span>${p.label}</span></a></li>`)}
      </ul></nav>
      <main id="main" tabindex="-1">${found ? html`<${found.view} key=${found.name} parts=${route.parts} query=${route.query} />` : html`<${Missing} />`}</main>
    </div>`}
    <${Modal} />
    <${Toast} explain=${explain} />
  </div>`;
}

function Missing() {
  return html`<${Page} title="Page not found"><p>The control room has no page at this address.</p><p><a href="#/">Go to the overview</a></p><//>`;
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
      refuse(refusal.code === "forbidden" ? "This is a buyer's token. Sign in with an operator's or a viewer's token." : explain(refusal));
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
