import { useState } from "../vendor/preact.js";
import { html } from "../shared/html.js";
import { download } from "../shared/download.js";
import { numbers } from "../shared/locale.js";
import { say } from "../shared/say.js";
import { explain } from "../shared/words.js";

const megabytes = numbers({ minimumFractionDigits: 1, maximumFractionDigits: 1 });

// Download is a button that fetches a file. Large ones take minutes on a slow line: it shows how much has come.
export function Download({ path, name, children }) {
  const [got, count] = useState(null); // bytes, while it comes
  const [refusal, refuse] = useState(null);
  const start = async () => {
    if (got !== null) return;
    refuse(null);
    count(0);
    try {
      await download(path, name, count);
      say("The file is downloaded.");
    } catch (r) {
      refuse(r);
    }
    count(null);
  };
  return html`<button type="button" class="quiet" aria-disabled=${got !== null} aria-busy=${got !== null} onClick=${start}>${got === null ? children : `Downloading… ${megabytes(got / 1e6)} MB`}</button>
    ${refusal && html`<p class="problem" role="alert">${explain(refusal)}</p>`}`;
}
