import { useRef, useState } from "../vendor/preact.js";
import { html } from "../shared/html.js";
import { Brand } from "../shared/brand.js";
import { t } from "../shared/messages.js";
import { find, Problem, verify } from "./draw.js";

const bytesOf = async (file) => new Uint8Array(await file.arrayBuffer());

// outcomeOf is what work finds, or the problem that it meets.
async function outcomeOf(work) {
  try {
    return { found: await work() };
  } catch (e) {
    return { problem: e instanceof Problem ? e : new Problem("verify.unreadable") };
  }
}

async function verdictOf({ record, receipt }) {
  if (!record) return {};
  const verdict = await outcomeOf(async () => verify(await bytesOf(record)));
  if (verdict.problem || !receipt) return verdict;
  return { ...verdict, receipt: await outcomeOf(async () => find(verdict.found, await bytesOf(receipt))) };
}

export function App() {
  const files = useRef({});
  const turn = useRef(0);
  const [verdict, show] = useState({});
  const choose = async (chosen) => {
    files.current = { ...files.current, ...chosen };
    const mine = ++turn.current;
    show({ checking: Boolean(files.current.record) });
    const made = await verdictOf(files.current);
    if (mine === turn.current) show(made); // else another file was chosen meanwhile
  };
  return html`
    <header class="top"><${Brand} href="/" /></header>
    <main id="main" tabindex="-1">
      <h1>${t("verify.title")}</h1>
      <p>${t("verify.intro")}</p>
      <${File} id="record" label=${t("verify.record")} hint=${t("verify.record_hint")} choose=${(record) => choose({ record })} />
      <${File} id="receipt" label=${t("verify.receipt")} hint=${t("verify.receipt_hint")} choose=${(receipt) => choose({ receipt })} />
      <div role="status"><${Verdict} ...${verdict} /></div>
    </main>
  `;
}

// File is a field that takes a file, also one that is dropped on it.
function File({ id, label, hint, choose }) {
  return html`<div class="file">
    <label for=${id}>${label}</label>
    <p id=${`${id}-hint`}>${hint}</p>
    <input type="file" id=${id} accept=".json,application/json" aria-describedby=${`${id}-hint`} onChange=${(e) => choose(e.target.files[0])} />
  </div>`;
}

function Verdict({ checking, problem, found, receipt }) {
  if (checking) return html`<p>${t("verify.checking")}</p>`;
  if (problem) return html`<${Wrong} title=${t("verify.wrong")} problem=${problem} />`;
  if (!found) return null;
  return html`<section class="verdict good">
      <h2>${t("verify.correct")}</h2>
      <p>${t("verify.of", { number: found.drop.id, name: found.drop.name })}</p>
      <dl>${linesOf(found).map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd translate="no">${value}</dd></div>`)}</dl>
      <p>${t("verify.compare")}</p>
      ${found.beacon && html`<p class="signature">${t("verify.signature")}</p>`}
    </section>
    ${receipt && (receipt.problem ? html`<${Wrong} title=${t("verify.receipt_wrong")} problem=${receipt.problem} />` : html`<p class="verdict good">${placeOf(receipt.found, found)}</p>`)}`;
}

const Wrong = ({ title, problem }) => html`<section class="verdict bad"><h2>${title}</h2><p>${t(problem.key, problem.values)}</p></section>`;

const linesOf = (r) => [
  [t("verify.entries"), r.count],
  [t("verify.winner_count"), r.winners.length],
  [t("verify.runner_up_count"), r.runners_up.length],
  [t("verify.withdrawn_count"), r.entries.filter((e) => e.withdrawn).length],
  [t("verify.removed_count"), r.entries.filter((e) => e.removed).length],
  [t("verify.commitment"), r.commitment],
  [t("verify.root_name"), r.root],
  [t("verify.seal_name"), r.seal],
];

function placeOf({ entry, won, size, place, withdrawn, removed }, record) {
  if (won) return size ? t("verify.won_size", { entry, size }) : t("verify.won", { entry });
  if (withdrawn) return t("verify.withdrawn", { entry });
  if (removed) return t("verify.removed", { entry, reason: removed });
  return t("verify.waits", { entry, place, total: record.runners_up.length });
}
