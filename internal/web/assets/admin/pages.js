import { Drops } from "./drops.js";
import { Overview } from "./overview.js";
import { Rehearsals } from "./rehearsals.js";
import { Service } from "./service.js";

// pages are those of the menu, in its order. name is the first part of the address (#/drops), icon the path of a
// 24 by 24 drawing. view gets parts, the rest of the address, and query, what follows its question mark.
export const pages = [
  { name: "", label: "Overview", view: Overview, icon: "M4 11 12 4l8 7M6 9.5V20h12V9.5M10 20v-6h4v6" },
  { name: "drops", label: "Drops", view: Drops, icon: "M4 5h16v4H4zM4 13h16v6H4zM8 16h5" },
  { name: "rehearsals", label: "Rehearsals", view: Rehearsals, icon: "M6 4v16l13-8z" },
  { name: "service", label: "Service", view: Service, icon: "M3 12h4l3-8 4 16 3-8h4" },
];
