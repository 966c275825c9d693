import { useEffect, useRef, useState } from "../vendor/preact.js";
import { html } from "../shared/html.js";
import { say } from "../shared/say.js";

// Secret shows what the server tells only once. copied is said to people who listen to the page, and why says why it is
// shown only once. children are what to do with the secret.
export function Secret({ title, value, copied, why, done, children }) {
  const heading = useRef();
  const text = useRef();
  const [result, tell] = useState("");
  useEffect(() => heading.current.focus(), []);
  const press = async () => {
    try {
      await navigator.clipboard.writeText(value);
      tell("Copied.");
    } catch {
      getSelection().selectAllChildren(text.current);
      tell("Press Ctrl+C to copy it.");
    }
    say(copied);
  };
  return html`<section class="secret block" aria-labelledby="made-secret">
    <h2 id="made-secret" ref=${heading} tabindex="-1">${title}</h2>
    <p>Copy it now. It is shown only once${why}.</p>
    <p class="value"><code ref=${text} tabindex="0">${value}</code></p>
    <div class="buttons"><button type="button" class="primary" onClick=${press}>Copy</button><button type="button" class="quiet" onClick=${done}>Done</button><span class="hint" role="status">${result}</span></div>
    ${children}
  </section>`;
}
