import { payments } from "../shared/config.js";
import { AllPurchases } from "./allpurchases.js";
import { Buyers } from "./buyers.js";
import { Drops } from "./drops.js";
import { Log } from "./log.js";
import { Overview } from "./overview.js";
import { Payments } from "./payments.js";
import { Rehearsals } from "./rehearsals.js";
import { Service } from "./service.js";
import { Settings } from "./settings.js";
import { Tokens } from "./tokens.js";
import { Webhooks } from "./webhooks.js";

// pages are those of the menu, in its order. name is the first part of the address (#/drops), icon the path of a
// 24 by 24 drawing. view gets parts, the rest of the address, and query, what follows its question mark.
export const pages = [
  { name: "", label: "Overview", view: Overview, icon: "M4 11 12 4l8 7M6 9.5V20h12V9.5M10 20v-6h4v6" },
  { name: "drops", label: "Drops", view: Drops, icon: "M4 5h16v4H4zM4 13h16v6H4zM8 16h5" },
  { name: "rehearsals", label: "Rehearsals", view: Rehearsals, icon: "M6 4v16l13-8z" },
  { name: "purchases", label: "Purchases", view: AllPurchases, icon: "M5 4h14v16l-3.5-2-3.5 2-3.5-2L5 20zM9 9h6M9 13h6" },
  payments && { name: "payments", label: "Payments", view: Payments, icon: "M3 6h18v12H3zM3 10h18M7 15h4" },
  { name: "buyers", label: "Buyers", view: Buyers, icon: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20a7.5 7.5 0 0 1 15 0" },
  { name: "service", label: "Service", view: Service, icon: "M3 12h4l3-8 4 16 3-8h4" },
  { name: "webhooks", label: "Webhooks", view: Webhooks, icon: "M9.5 10.5a4 4 0 1 1 5-1.2l3 5.2M12 8l-3.2 6a4 4 0 1 1-4.3-.8M9 17h7.5a4 4 0 1 1 2.2 2.6" },
  { name: "log", label: "Log", view: Log, icon: "M6 4h12v16H6zM9 8h6M9 12h6M9 16h3" },
  { name: "tokens", label: "Tokens", view: Tokens, icon: "M14.5 13.5a4.5 4.5 0 1 1 0-9 4.5 4.5 0 0 1 0 9zM11 12l-7 7v2h3l1-2h2v-2h2l1-2" },
  { name: "settings", label: "Settings", view: Settings, icon: "M4 7h9M17 7h3M4 17h3M11 17h9M15 5v4M9 15v4" },
].filter(Boolean);
