// The buyer's places in the lines of waitlists. The server has the truth, as with holds: the page asks it after a
// reload, in another tab, after a reconnect, and from time to time while the buyer waits.
import { client } from "../shared/client.js";
import { identity } from "../shared/config.js";
import { t } from "../shared/messages.js";
import { say } from "../shared/say.js";
import { subscribe } from "../shared/topics.js";
import { explain } from "../shared/words.js";
import { buyer, knownAs, signInFailed } from "./buyer.js";
import { catalog, nameOf } from "./catalog.js";
import { changed, hands, heard, tellTabs } from "./hands.js";

const pace = 20_000; // ms between two looks at the lines, and up to half as much more: nobody asks at the same time

const sizeOf = ({ size }) => size ?? "";

// placesOf are the buyer's newest entries in a drop, one for each size.
export const placesOf = (dropId) => hands.lines.get(dropId) ?? [];

// placeOf is the entry with which the buyer waits for a size.
export const placeOf = (dropId, size = "") => placesOf(dropId).find((e) => e.status === "waiting" && sizeOf(e) === size);

const waits = (dropId) => placesOf(dropId).some((e) => e.status === "waiting");

// put keeps an entry in place of an older one of the same size.
function put(entry) {
  const had = placesOf(entry.dropId).filter((e) => sizeOf(e) !== sizeOf(entry));
  hands.lines.set(entry.dropId, [...had, entry]);
  if (entry.reservation) heard(entry.reservation);
  changed(entry.dropId);
}

// readLine asks for the buyer's entries in a drop. An answer to what was asked before the buyer did something here no
// longer counts.
export async function readLine(dropId) {
  if (!buyer.id) return;
  const of = buyer.id;
  const before = placesOf(dropId);
  if (!hands.lines.has(dropId)) hands.lines.set(dropId, before);
  try {
    const { entries } = await client.showWaitlist({ id: dropId, userId: of });
    if (of !== buyer.id || hands.lines.get(dropId) !== before || before.some((e) => e.busy)) return;
    hands.lines.set(dropId, []);
    entries.forEach(put); // the newest last
    changed(dropId);
  } catch (refusal) {
    signInFailed(refusal); // the next look asks again
  }
}

// readNew reads the line of a drop that the page has just heard of.
export function readNew({ id, waitlist }) {
  if (waitlist && !hands.lines.has(id)) readLine(id);
}

let timer = 0;

// readLines asks anew for each drop with a waitlist, and goes on while the buyer waits.
export function readLines() {
  clearTimeout(timer);
  timer = setTimeout(again, pace * (1 + Math.random() / 2));
  for (const drop of catalog.drops.values()) if (drop.waitlist || waits(drop.id)) readLine(drop.id);
}

function again() {
  clearTimeout(timer);
  timer = setTimeout(again, pace * (1 + Math.random() / 2));
  if (document.hidden) return; // it is asked when the page is looked at
  for (const id of hands.lines.keys()) if (waits(id)) readLine(id);
}

subscribe("counted", readLines);

// join puts the buyer at the end of a line. If a pair is there at once, it is a hold.
export async function join(dropId, size) {
  if (hands.asking.has(dropId)) return;
  hands.asking.set(dropId, "join");
  hands.notices.delete(dropId);
  changed(dropId);
  try {
    const entry = await client.joinWaitlist({ dropId, ...(size ? { size } : {}), ...(identity ? {} : { userName: buyer.name }) });
    if (!buyer.id || !identity) knownAs(entry.userId);
    put(entry);
    if (entry.reservation?.status === "active") hands.fresh = entry.reservation.id;
    else if (entry.status === "waiting") say(t("said.joined", { drop: nameOf(dropId), position: entry.position }));
    tellTabs();
  } catch (refusal) {
    if (!signInFailed(refusal)) hands.notices.set(dropId, refusal);
    say(explain(refusal));
    if (refusal.unsure) readLine(dropId);
  }
  hands.asking.delete(dropId);
  changed(dropId);
}

// leave gives up a place.
export async function leave(entry) {
  if (entry.busy) return;
  Object.assign(entry, { busy: true, problem: null });
  changed(entry.dropId);
  try {
    put(await client.leaveWaitlist({ entryId: entry.id }));
    say(t("said.left", { drop: nameOf(entry.dropId) }));
    tellTabs();
  } catch (refusal) {
    Object.assign(entry, { busy: false, problem: refusal });
    say(explain(refusal));
    if (!signInFailed(refusal)) readLine(entry.dropId); // an offer may have come
  }
  changed(entry.dropId);
}
