// The page of one drop, at /drops/{id}. The server wrote the drop's texts and pictures into it, made safe; they are
// moved to their place here and never made anew.
import { useLayoutEffect, useRef, useState } from "../vendor/preact.js";
import { html } from "../shared/html.js";
import { t } from "../shared/messages.js";
import { useTopic } from "../shared/topics.js";
import { about, onlyDrop } from "./about.js";
import { Card } from "./card.js";
import { catalog } from "./catalog.js";
import { back, share } from "./icons.js";
import { Empty, Waiting } from "./states.js";

export function DropPage({ ask }) {
  useTopic("list");
  const drop = catalog.drops.get(onlyDrop);
  return html`<p class="links home"><a href="/">${back()}<span>${t("shop.all_drops")}</span></a>${drop && html`<${Share} name=${drop.name} />`}</p>
    ${drop
      ? html`<div class="first"><${Card} id=${onlyDrop} view="page" ask=${ask}>${about && html`<${About} />`}<//></div>`
      : catalog.loaded
        ? html`<${Empty} title=${t("shop.drop_gone")} hint=${t("shop.drop_gone_hint")}><a class="primary" href="/">${t("shop.all_drops")}</a><//>`
        : html`<${Waiting} large=${true} />`}`;
}

function About() {
  const box = useRef();
  useLayoutEffect(() => box.current.append(about), []);
  return html`<div class="story" ref=${box} />`;
}

// Share hands the page's address to the device, or copies it. Where neither is allowed, it shows it.
function Share({ name }) {
  const [done, note] = useState("");
  const url = location.origin + location.pathname;
  const click = async () => {
    try {
      if (navigator.share) return await navigator.share({ title: name, url });
      await navigator.clipboard.writeText(url);
      note(t("card.link_copied"));
    } catch (failure) {
      if (failure?.name !== "AbortError") note(url); // closed without a choice is no failure
    }
    return undefined;
  };
  return html`<button type="button" onClick=${click}>${share()}<span>${t("card.share")}</span></button><output class="shared">${done}</output>`;
}
