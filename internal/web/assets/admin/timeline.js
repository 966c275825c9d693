import { useState } from "../vendor/preact.js";
import { html } from "../shared/html.js";
import { now } from "../shared/client.js";
import { precise, whole } from "../shared/format.js";
import { drawn, rates } from "./books.js";
import { around, Chart } from "./chart.js";
import { Moment, momentOf } from "./moment.js";
import { Table } from "./table.js";
import { localText, zoneName } from "./zones.js";

const lines = [{ name: "On sale", color: "available" }, { name: "Held", color: "held" }, { name: "Sold", color: "sold" }];
const sales = [{ name: "Sold per second", color: "sold" }];
const least = 20; // seconds that the charts show of everything
const closest = 2; // seconds that they show when somebody zooms in as far as it goes

const presets = [["First minute", 60], ["First 15 minutes", 900], ["First hour", 3600]];

// Timeline shows a drop's units and sales over the same time, which its buttons and either chart change.
export function Timeline({ drop, story }) {
  const [range, choose] = useState(null); // null: all
  const [custom, open] = useState(false);
  const data = drawn(story, now() / 1000);
  const times = data[0];
  const all = [times[0], Math.max(times[times.length - 1], times[0] + least)];
  const start = story.firstReserve || all[0];
  const span = range ?? all;
  const zoom = (from, to) => {
    const length = Math.max(closest, to - from);
    const middle = (from + to) / 2;
    const wanted = [Math.max(all[0], middle - length / 2), Math.min(all[1], middle + length / 2)];
    if (wanted[1] - wanted[0] < closest) return;
    choose(wanted[0] <= all[0] && wanted[1] >= all[1] ? null : wanted);
  };
  const reset = () => {
    open(false);
    choose(null);
  };
  const preset = (seconds) => [start - 1, start + seconds];
  const same = (r) => range !== null && Math.abs(r[0] - range[0]) < 0.5 && Math.abs(r[1] - range[1]) < 0.5;
  const speed = rates(story, 240, range);
  return html`<section class="timeline" aria-label="Sales over time">
    <div class="ranges" role="group" aria-label="Time range">
      ${presets.map(([name, seconds]) => html`<button key=${name} type="button" class="quiet" aria-pressed=${same(preset(seconds))} onClick=${() => choose(preset(seconds))}>${name}</button>`)}
      <button type="button" class="quiet" aria-pressed=${range === null} onClick=${reset}>All</button>
      <button type="button" class="quiet" aria-expanded=${custom} aria-controls="custom-range" onClick=${() => open(!custom)}>Custom</button>
      <span class="zooms"><button type="button" class="quiet" aria-label="Zoom in" onClick=${() => zoom(...around(span, 0.5))}>+</button>
      <button type="button" class="quiet" aria-label="Zoom out" aria-disabled=${range === null} onClick=${() => range && zoom(...around(span, 2))}>−</button></span>
    </div>
    <div id="custom-range">${custom && html`<${Custom} span=${span} choose=${choose} />`}</div>
    <${Chart} key=${`units ${drop.id}`} data=${data} series=${lines} span=${span} zoom=${zoom} reset=${reset} sync=${`drop ${drop.id}`}
      label=${`Pairs over time: now ${drop.available} on sale, ${drop.held} held, ${drop.sold} sold`} />
    ${speed.at.length > 0 && html`<${Chart} key=${`rate ${drop.id}`} data=${[speed.at, speed.sold]} series=${sales} span=${span} zoom=${zoom} reset=${reset} sync=${`drop ${drop.id}`} height=${140} bars
      label=${`Pairs sold per second, ${speed.peak} at the peak`} />`}
    <p class="hint shown" role="status">${precise(span[0] * 1000)} to ${precise(span[1] * 1000)}. Your time zone: ${zoneName(now())}. Drag in a chart to zoom.</p>
    <details class="data"><summary>Show the data as a table</summary><${Data} data=${data} span=${span} /></details>
  </section>`;
}

// Custom asks for the two ends of a range.
function Custom({ span, choose }) {
  const [texts, put] = useState({ from: localText(span[0] * 1000), to: localText(span[1] * 1000) });
  const [problem, refuse] = useState(null);
  const submit = (e) => {
    e.preventDefault();
    const [from, to] = [momentOf(texts.from), momentOf(texts.to, true)];
    if (from === null || to === null) return refuse("Enter a date and a time in both fields.");
    if (to - from < closest * 1000) return refuse("The end must be at least 2 seconds after the beginning.");
    refuse(null);
    choose([from / 1000, to / 1000]);
  };
  return html`<form class="asks" onSubmit=${submit}>
    <${Moment} id="range-from" label="From" step="1" value=${texts.from} put=${(from) => put({ ...texts, from })} />
    <${Moment} id="range-to" label="To" step="1" value=${texts.to} put=${(to) => put({ ...texts, to })} />
    <button type="submit" class="quiet">Show range</button>
    <p class="problem" role="alert">${problem}</p>
  </form>`;
}

const rowsAtMost = 30;

// Data is what the charts show, at moments that are equally far apart.
function Data({ data, span }) {
  const [times, available, held, sold] = data;
  const step = Math.max(1, Math.ceil((span[1] - span[0]) / rowsAtMost));
  const rows = [];
  let i = 0;
  let last = 0;
  for (let t = Math.ceil(span[0]); t <= span[1]; t += step) {
    while (i + 1 < times.length && times[i + 1] <= t) i++;
    if (times[i] > t) continue;
    rows.push(html`<tr key=${t}><th scope="row">${precise(t * 1000)}</th><td>${whole(available[i])}</td><td>${whole(held[i])}</td><td>${whole(sold[i])}</td><td>${whole(rows.length === 0 ? 0 : sold[i] - last)}</td></tr>`);
    last = sold[i];
  }
  return html`<${Table} label="Sales over time" head=${["Time", "On sale", "Held", "Sold", "Change in sold"]} numbers=${["On sale", "Held", "Sold", "Change in sold"]} rows=${rows} />`;
}
