import { useEffect, useRef } from "../vendor/preact.js";
import { html } from "../shared/html.js";
import { axisTime, whole } from "../shared/format.js";

// Chart draws lines over time with uPlot (a global of its script). label says in words what the picture shows.
export function Chart({ data, series, label, height = 220, step = false }) {
  const box = useRef();
  const plot = useRef(null);
  const there = "uPlot" in globalThis;
  useEffect(() => {
    if (!there) return undefined;
    const draw = () => {
      plot.current?.destroy();
      plot.current = new uPlot(optionsOf(box.current, series, height, step), data, box.current);
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
  }, []);
  useEffect(() => plot.current?.setData(data));
  return html`<figure class="chart">
    ${there ? html`<div ref=${box} role="img" aria-label=${label} />` : html`<p class="hint">The chart could not be loaded. ${label}.</p>`}
    <figcaption>${series.map((s) => html`<span key=${s.name}><i class=${s.color} aria-hidden="true" />${s.name}</span>`)}</figcaption>
  </figure>`;
}

const least = 20; // seconds that a chart shows at least

function optionsOf(box, series, height, step) {
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
    cursor: { show: false },
    padding: [10, 8, 0, 0],
    scales: { x: { range: (_, min, max) => [min, Math.max(max, min + least)] }, y: { range: (_, __, max) => [0, Math.max(1, max * 1.05)] } },
    axes: [{ ...axis, space: 90, values: (_, ticks, __, ___, apart) => ticks.map((t) => axisTime(t * 1000, apart)) }, { ...axis, size: 56, values: (_, ticks) => ticks.map((n) => (Number.isInteger(n) ? whole(n) : "")) }],
    series: [{}, ...series.map((s) => ({
      stroke: resolved(s.color), width: 2, points: { show: false },
      paths: step ? uPlot.paths.bars({ size: [0.8, 60] }) : uPlot.paths.stepped({ align: 1 }),
      fill: step ? resolved(s.color) : undefined,
    }))],
  };
}
