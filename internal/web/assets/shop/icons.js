import { html } from "../shared/html.js";

const icon = (paths) => html`<svg viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d=${paths} /></svg>`;

export const calendar = () => icon("M5 5h14a1 1 0 0 1 1 1v13a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1zM4 10h16M8 3v4M16 3v4");
export const share = () => icon("M12 15V4M8 8l4-4 4 4M5 13v6a1 1 0 0 0 1 1h12a1 1 0 0 0 1-1v-6");
export const back = () => icon("M15 5l-7 7 7 7");
export const forward = () => icon("M9 5l7 7-7 7");
export const printer = () => icon("M7 9V4h10v5M7 17H5a1 1 0 0 1-1-1v-6a1 1 0 0 1 1-1h14a1 1 0 0 1 1 1v6a1 1 0 0 1-1 1h-2M7 14h10v6H7z");
export const letter = () => icon("M4 6h16v12H4zM4 7l8 6 8-6");
export const enlarge = () => icon("M9 4H4v5M15 4h5v5M9 20H4v-5M15 20h5v-5");
export const cross = () => icon("M6 6l12 12M18 6L6 18");
