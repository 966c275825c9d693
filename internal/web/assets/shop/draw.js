// The buyer's entries in draws. The server has the truth, as with the places in line: the page asks it after a reload,
// in another tab, after a reconnect, and once the result is there.
import { client, now } from "../shared/client.js";
import { identity } from "../shared/config.js";
import { save } from "../shared/download.js";
import { knows, learn, t } from "../shared/messages.js";
import { say } from "../shared/say.js";
import { subscribe, tell } from "../shared/topics.js";
import { inTurns } from "../shared/turns.js";
import { explain } from "../shared/words.js";
import { onlyDrop } from "./about.js";
import { buyer, knownAs, signInFailed } from "./buyer.js";
import { catalog, nameOf, stageOf } from "./catalog.js";
import { focusCode, isOfCode } from "./codes.js";
import { knowsEarly } from "./early.js";
import { changed, hands, tellTabs } from "./hands.js";
import { readLine } from "./waitlist.js";

// entryOf is the buyer's entry in the draw of a drop, or null. Who withdrew has none.
export const entryOf = (dropId) => hands.entries.get(dropId) ?? null;

// won says whether a hold is what the buyer won in a draw.
export function won({ dropId, offer, size }) {
  const result = entryOf(dropId)?.result;
  return Boolean(offer && result?.won && (result.size ?? "") === (size ?? ""));
}

// knowsDraws says whether the page has the texts of draws.
export const knowsDraws = () => knows("draw.enter");

function put(dropId, entry) {
  hands.entries.set(dropId, entry);
  changed(dropId);
}

// readEntry asks for the buyer's entry in the draw of a drop, and after the result for the places in line that come
// from it. An answer to what was asked before the buyer did something here no longer counts.
export const readEntry = inTurns(async (dropId) => {
  if (!buyer.id) return;
  const of = buyer.id;
  const before = entryOf(dropId);
  if (!hands.entries.has(dropId)) hands.entries.set(dropId, null);
  try {
    const { entries } = await client.listDrawEntries({ id: dropId, userId: of });
    if (of !== buyer.id || entryOf(dropId) !== before || before?.busy || hands.asking.get(dropId) === "enter") return;
    const entry = ["entered", "removed"].map((status) => entries.find((e) => e.status === status)).find(Boolean) ?? null;
    put(dropId, entry);
    if (!entry?.result) return;
    if (before && !before.result && !entry.result.won) say([nameOf(dropId), t("draw.lost")].join(": ")); // an offer says itself
    readLine(dropId);
  } catch (refusal) {
    signInFailed(refusal); // the next look asks again
  }
});

const most = 20_000; // ms in which all who took part ask for the result

const due = new Set(); // drops whose result is asked for soon

// mayHave says whether somebody may be in the draw of a drop: it has opened, or early access to it began.
const mayHave = (drop) => stageOf(drop) !== "soon" || Date.parse(drop.early?.starts) <= now();

// learnNew takes note of what the page has heard of a drop with a draw. When the result is there all hear of it at
// once, and ask for theirs one by one: within 20 s, or a tenth of the time to pay.
export function learnNew(drop) {
  if (lacksTexts(drop)) learnTexts();
  if (!drop.draw) return;
  const stage = stageOf(drop);
  if (!hands.entries.has(drop.id)) {
    if (!mayHave(drop)) hands.entries.set(drop.id, null);
    else readEntry(drop.id);
    return;
  }
  const entry = entryOf(drop.id);
  if (stage !== "drawn" || entry?.status !== "entered" || entry.result || due.has(drop.id)) return;
  due.add(drop.id);
  setTimeout(async () => {
    await readEntry(drop.id);
    due.delete(drop.id);
  }, Math.random() * Math.min(most, drop.draw.pay_within * 100));
}

let learning = 0;

// lacksTexts says whether the page has no texts for what a drop has. A page of one drop has those for that drop alone.
const lacksTexts = ({ id, draw, early }) => (!onlyDrop || id === onlyDrop) && ((draw && !knowsDraws()) || (early && !knowsEarly()));

// learnTexts gets the texts of draws and of early access for a page that was open before there was any. Not all pages
// ask at once.
function learnTexts() {
  learning ||= setTimeout(async () => {
    try {
      const page = await client.call("GET", location.pathname + location.search, { as: "blob" });
      learn(await page.text());
    } catch {
      // it asks again
    }
    learning = 0;
    if ([...catalog.drops.values()].some(lacksTexts)) return learnTexts();
    for (const id of catalog.drops.keys()) tell(`drop:${id}`);
    return undefined;
  }, 1500 + Math.random() * 5000);
}

subscribe("counted", () => {
  for (const drop of catalog.drops.values()) if (drop.draw && mayHave(drop)) readEntry(drop.id);
});

// enter enters the buyer in a draw. sizes are in the order of preference. code is that of early access, or empty.
export async function enter(dropId, sizes, code = "") {
  if (hands.asking.has(dropId)) return;
  hands.asking.set(dropId, "enter");
  hands.notices.delete(dropId);
  changed(dropId);
  let unsure = false;
  try {
    const entry = await client.enterDraw({ dropId, ...(sizes.length > 0 ? { sizes } : {}), ...(code ? { code } : {}), ...(identity ? {} : { userName: buyer.name }) });
    if (!buyer.id || !identity) knownAs(entry.userId);
    put(dropId, entry);
    say(t("draw.said_entered", { drop: nameOf(dropId) }));
    tellTabs();
  } catch (refusal) {
    if (!signInFailed(refusal)) hands.notices.set(dropId, refusal);
    say(explain(refusal));
    if (isOfCode(refusal)) focusCode(dropId);
    unsure = refusal.unsure || refusal.code === "entered" || refusal.code === "removed"; // elsewhere
  }
  hands.asking.delete(dropId);
  if (unsure) readEntry(dropId);
  changed(dropId);
}

// withdraw takes the buyer out of a draw.
export async function withdraw(entry) {
  if (entry.busy) return;
  const { dropId } = entry;
  Object.assign(entry, { busy: true, problem: null });
  changed(dropId);
  try {
    await client.withdrawFromDraw({ dropId, ...(identity ? {} : { userId: buyer.id }) });
    put(dropId, null);
    say(t("draw.said_withdrawn", { drop: nameOf(dropId) }));
    tellTabs();
  } catch (refusal) {
    Object.assign(entry, { busy: false, problem: refusal });
    say(explain(refusal));
    if (!signInFailed(refusal) && refusal.unsure) readEntry(dropId);
  }
  changed(dropId);
}

// saveReceipt gives the receipt to the browser as a file, as the server encodes it.
export const saveReceipt = ({ receipt }) => save(new Blob([`${JSON.stringify(receipt)}\n`], { type: "application/json" }), "receipt.json");
