// The buyer's places in the lines of waitlists. The server has the truth, as with holds: the page asks it after a
// reload, in another tab, after a reconnect, and from time to time while the buyer waits.
import { client } from "../shared/client.js";
import { identity } from "../shared/config.js";
import { t } from "../shared/messages.js";
import { say } from "../shared/say.js";
import { subscribe } from "../shared/topics.js";
import { inTurns } from "../shared/turns.js";
import { explain } from "../shared/words.js";
import { buyer, knownAs, signInFailed } from "./buyer.js";
import { catalog, hasStarted, nameOf } from "./catalog.js";
import { changed, hands, heard, tellTabs } from "./hands.js";

const front = 5; // the places whose turn may come soon

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
  plan();
}

// readLine asks for the buyer's entries in a drop. An answer to what was asked before the buyer did something here no
// longer counts.
export const readLine = inTurns(async (dropId) => {
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
});

// readNew reads the line of a drop that the page has just heard of. Before the start nobody can be in it, and at the
// start no crowd shall ask.
export function readNew(drop) {
  if (!drop.waitlist || hands.lines.has(drop.id)) return;
  if (hasStarted(drop)) readLine(drop.id);
  else hands.lines.set(drop.id, []);
}

// readLines asks anew for each drop with a waitlist.
export function readLines() {
  for (const drop of catalog.drops.values()) if (waits(drop.id) || (drop.waitlist && hasStarted(drop))) readLine(drop.id);
}

let timer = 0;

// plan sets when the page asks next, while the buyer waits. Signed-in buyers are told of an offer. Others find out by
// asking, so that those at the front of a line ask more often. Nobody asks at the same time.
function plan() {
  clearTimeout(timer);
  const all = [...hands.lines.values()].flat().filter((e) => e.status === "waiting");
  const soon = !identity && all.some((e) => e.position <= front);
  if (all.length > 0) timer = setTimeout(again, (soon ? 5000 : 20_000) * (1 + Math.random() / 2));
}

function again() {
  plan();
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
