import { useEffect, useRef, useState } from "../vendor/preact.js";
import { assets } from "../shared/config.js";
import { html } from "../shared/html.js";
import { axisTime, precise, whole } from "../shared/format.js";
import { numbers } from "../shared/locale.js";
import { say } from "../shared/say.js";

const rate = numbers({ maximumFractionDigits: 1 });
const written = (n) => (n === null || n === undefined ? "–" : Number.isInteger(n) ? whole(n) : rate(n));

let tries = 0; // a browser keeps in mind that a module did not come, so each try has a name of its own

// loadPlot loads uPlot for the first chart that somebody opens.
async function loadPlot() {
  const plot = await import(`${assets}/vendor/uplot.js${tries ? `?try=${tries}` : ""}`).catch((cause) => {
    tries++;
    throw cause;
  });
  globalThis.uPlot ??= plot.default;
}

// usePlot says whether uPlot is there: null while it is loaded.
function usePlot() {
  const [there, tell] = useState(globalThis.uPlot ? true : null);
  useEffect(() => {
    if (!there) loadPlot().then(() => tell(true), () => tell(false));
  }, []);
  return there;
}

// Chart draws lines over time with uPlot. span is the time that it shows, in seconds; zoom
// and reset change it. Charts with one name of sync share their pointer. label says in words what the picture shows.
export function Chart({ data, series, span, zoom, reset, sync, label, height = 220, bars = false }) {
  const box = useRef();
  const plot = useRef(null);
  const shown = useRef(span);
  shown.current = span;
  const act = useRef({});
  act.current = { zoom, reset };
  const [index, point] = useState(null); // of the data under the pointer
  const there = usePlot();
  useEffect(() => {
    if (!there) return undefined;
    const draw = () => {
      plot.current?.destroy();
      plot.current = new uPlot(optionsOf({ box: box.current, series, height, bars, sync, shown, act, point }), data, box.current);
      touch(plot.current, shown, act);
    };
    draw();
    const resized = new ResizeObserver(() => plot.current.setSize({ width: box.current.clientWidth, height }));
    resized.observe(box.current);
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", draw);
    return () => {
      resized.disconnect();
      scheme.removeEventListener("change", draw);
      plot.current.destroy();
    };
  }, [there]);
  useEffect(() => plot.current?.setData(data), [data, span[0], span[1]]);
  const at = index !== null && index < data[0].length ? index : null;
  const said = (i) => `${precise(data[0][i] * 1000)}: ${series.map((s, n) => `${s.name} ${written(data[n + 1][i])}`).join(", ")}`;
  const keys = (e) => {
    const next = keyed(e, at, data[0], span);
    if (next === undefined) return;
    e.preventDefault();
    if (next === "in" || next === "out") return void zoom(...(next === "in" ? around(span, 0.5, at === null ? null : data[0][at]) : around(span, 2)));
    if (next === "reset") return void reset();
    const u = plot.current;
    if (!u) return;
    u.setCursor({ left: u.valToPos(data[0][next], "x"), top: height / 2 });
    point(next);
    say(said(next));
  };
  const values = at ?? data[0].length - 1;
  return html`<figure class="chart">
    ${there === null ? html`<div style=${{ height: `${height}px` }} />` : there ? html`<div class="plot" ref=${box} role="application" aria-roledescription="chart" tabindex="0" aria-label=${`${label}. Left and right arrows read the values, plus and minus zoom, 0 shows everything`} onKeyDown=${keys} />` : html`<p class="hint">The chart could not be loaded. ${label}.</p>`}
    <figcaption><span class="when">${at === null ? "Now" : precise(data[0][at] * 1000)}</span>${series.map((s, n) => html`<span key=${s.name}><i class=${s.color} aria-hidden="true" />${s.name} <b>${written(data[n + 1][values])}</b></span>`)}</figcaption>
  </figure>`;
}

// keyed is what a key asks for: a place in the data, or a change of the span.
function keyed({ key, shiftKey }, at, times, [from, to]) {
  const inside = times.map((t, i) => [t, i]).filter(([t]) => t >= from && t <= to).map(([, i]) => i);
  if (key === "+" || key === "=") return "in";
  if (key === "-") return "out";
  if (key === "0" || key === "Escape") return "reset";
  if (inside.length === 0) return undefined;
  const [first, last] = [inside[0], inside[inside.length - 1]];
  const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 }[key];
  if (step) return Math.min(last, Math.max(first, at === null ? last : at + step * (shiftKey ? 10 : 1)));
  return { Home: first, End: last }[key];
}

// around is a span that is so many times as long, about a moment or its middle.
export function around([from, to], times, about = null) {
  const middle = about ?? (from + to) / 2;
  const share = (middle - from) / (to - from || 1);
  const length = (to - from) * times;
  return [middle - length * share, middle + length * (1 - share)];
}

function optionsOf({ box, series, height, bars, sync, shown, act, point }) {
  const resolved = (name) => {
    const probe = document.createElement("i");
    probe.style.color = `var(--${name})`;
    box.append(probe);
    const { color: found } = getComputedStyle(probe);
    probe.remove();
    return found;
  };
  const axis = { stroke: resolved("soft"), grid: { stroke: resolved("line"), width: 1 }, ticks: { show: false }, font: "12px system-ui" };
  return {
    width: box.clientWidth || 300,
    height,
    legend: { show: false },
    padding: [10, 8, 0, 0],
    cursor: {
      sync: { key: sync, setSeries: false, scales: ["x", null] },
      drag: { x: true, y: false, setScale: false },
      points: { size: 7 },
      y: false,
      dataIdx: (u, _, closest, value) => (bars ? closest : before(u.data[0], value, closest)),
      bind: { dblclick: () => () => (act.current.reset(), null) },
    },
    hooks: {
      setCursor: [(u) => point(u.cursor.idx ?? null)],
      setSelect: [(u) => {
        const { left, width } = u.select;
        if (width < 4) return;
        u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        act.current.zoom(u.posToVal(left, "x"), u.posToVal(left + width, "x"));
      }],
    },
    scales: { x: { range: () => shown.current }, y: { range: (_, __, max) => [0, Math.max(1, max * 1.05)] } },
    axes: [{ ...axis, space: 90, size: 44, values: marksOf }, { ...axis, size: 56, values: (_, ticks) => ticks.map((n) => (Number.isInteger(n) ? whole(n) : "")) }],
    series: [{}, ...series.map((s) => ({
      stroke: resolved(s.color), width: 2, points: { show: false },
      paths: bars ? uPlot.paths.bars({ size: [0.8, 60] }) : uPlot.paths.stepped({ align: 1 }),
      fill: bars ? resolved(s.color) : undefined,
    }))],
  };
}

// marksOf writes the marks of the axis of time. The first one, and each that begins another day, names the day below.
function marksOf(_, ticks, __, ___, apart) {
  if (apart >= 86_400) return ticks.map((t) => axisTime(t * 1000, apart));
  const days = ticks.map((t) => axisTime(t * 1000, 86_400));
  return ticks.map((t, i) => `${axisTime(t * 1000, apart)}${days[i] === days[i - 1] ? "" : `\n${days[i]}`}`);
}

// before is the last point that is not after a moment: what a stepped line shows there.
const before = (times, value, closest) => (times[closest] > value && closest > 0 ? closest - 1 : closest);

// touch has one finger read the values and two zoom; a finger that moves up or down scrolls the page.
function touch(u, shown, act) {
  const down = new Map();
  let pinch = null; // where two fingers began: their times
  const place = (x) => x - u.over.getBoundingClientRect().left;
  const begin = () => {
    const [a, b] = [...down.values()].map((x) => u.posToVal(place(x), "x"));
    pinch = down.size === 2 ? { times: [Math.min(a, b), Math.max(a, b)] } : null;
  };
  u.over.addEventListener("pointerdown", (e) => {
    if (e.pointerType !== "touch") return;
    down.set(e.pointerId, e.clientX);
    begin();
    u.setCursor({ left: place(e.clientX), top: 20 });
  });
  u.over.addEventListener("pointermove", (e) => {
    if (!down.has(e.pointerId)) return;
    down.set(e.pointerId, e.clientX);
    if (!pinch) return void u.setCursor({ left: place(e.clientX), top: 20 });
    const [left, right] = [...down.values()].map(place).sort((a, b) => a - b);
    if (right - left < 10) return;
    const [t1, t2] = pinch.times;
    const perPixel = (t2 - t1) / (right - left);
    act.current.zoom(t1 - left * perPixel, t2 + (u.over.clientWidth - right) * perPixel);
  });
  for (const name of ["pointerup", "pointercancel", "pointerleave"]) {
    u.over.addEventListener(name, (e) => {
      if (down.delete(e.pointerId)) begin();
    });
  }
}
