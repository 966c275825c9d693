import { html } from "./html.js";

// A drawn shoe stands in for a drop without an image. Each drop has its own colors and keeps them.
export function Sneaker({ seed }) {
  const hue = (seed * 137.5) % 360;
  const style = { "--hue": String(hue) };
  return html`<svg class="sneaker" style=${style} viewBox="0 0 400 300" aria-hidden="true" focusable="false">
    <rect class="sky" x="-900" y="-900" width="2200" height="2100" />
    <circle class="sun" cx=${250 + ((seed * 53) % 90)} cy=${92 + ((seed * 31) % 40)} r="74" />
    <path class="floor" d="M-900 232h2200v900H-900z" />
    <${Shoe} />
  </svg>`;
}

// Shoe is the shoe alone, in a drawing of its own.
export const Shoe = () => html`
  <ellipse class="shade" cx="204" cy="240" rx="150" ry="9" />
  <path class="upper" d="M72 208c-4-26-6-58 2-82 3-10 14-13 22-7 14 11 34 14 52 5 7-4 15-3 21 3l52 46c8 7 18 11 29 12l52 6c20 2 32 13 34 31z" />
  <path class="heel" d="M72 208c-4-26-6-58 2-82 3-10 14-13 22-7l4 3c-9 24-8 58 0 86z" />
  <path class="toe" d="M262 222c2-22 16-36 38-36l2 0c20 2 32 13 34 31v5z" />
  <path class="stripe" d="M106 196c42 4 78-8 108-32l14 12c-32 28-74 40-120 36z" />
  <path class="lace" d="M160 142l22-14M176 156l22-14M192 170l22-14M208 183l20-12" />
  <path class="sole" d="M66 208h272c6 0 9 5 8 11l-2 8c-2 7-7 11-14 11H78c-8 0-13-5-14-12l-2-9c-1-5 1-9 4-9z" />
  <path class="tread" d="M70 226h268" />
`;
