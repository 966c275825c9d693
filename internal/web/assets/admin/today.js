// Sales since the operator's midnight, and the newest purchases. The server answers from memory. The page asks it only
// after a sale or a return.
import { client, now } from "../shared/client.js";
import { tell } from "../shared/topics.js";
import { room } from "./room.js";
import { countsOf } from "./state.js";
import { midnight } from "./zones.js";

const pace = 2000; // ms between two questions

export const today = { answer: null, newest: [], refusal: null };

let asked = "";
let busy = false;
let last = -Infinity;

// lookToday asks for the figures of today if they may have changed.
export async function lookToday() {
  if (busy || !room.figures || performance.now() - last < pace) return;
  const since = new Date(midnight(now())).toISOString();
  const wanted = [since, ...room.figures.drops.map((d) => Object.values(countsOf(d)))].join();
  if (wanted === asked && !today.refusal) return;
  busy = true;
  last = performance.now();
  try {
    [today.answer, { purchases: today.newest }] = await Promise.all([client.sales({ since }), client.listAllPurchases({ limit: 8 })]);
    today.refusal = null;
    asked = wanted;
  } catch (refusal) {
    today.refusal = refusal;
  }
  busy = false;
  tell("today");
}
