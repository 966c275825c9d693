// The state of the control room: the figures, fetched every second, and the ledger of the open drop. Audits in this tab
// that found discrepancies are kept by drop.
import { identity } from "../shared/config.js";
import { client, measure, now, onJump, session } from "../shared/client.js";
import { flush, tell } from "../shared/topics.js";
import { add, emptyStory, readOn } from "./books.js";

export const room = { figures: null, history: [], problem: null, admitted: !identity, drop: 0, story: null, ledger: [], reading: false, audits: new Map() };

const tokenKey = "sneakerdrop.operator";

session.token = () => (identity ? sessionStorage.getItem(tokenKey) || "" : "");

export const hasToken = () => !identity || session.token() !== "";

export async function enter(token) {
  sessionStorage.setItem(tokenKey, token);
  try {
    await look();
  } catch (refusal) {
    if (room.admitted) return; // a later look has let the operator in already
    sessionStorage.removeItem(tokenKey);
    throw refusal;
  }
}

export function leave() {
  sessionStorage.removeItem(tokenKey);
  Object.assign(room, { figures: null, history: [], admitted: false });
  tell("room");
  flush(); // at once: what needs the figures must not be drawn without them
}

const window = 30; // readings that percentiles are taken over

// look shows the present figures. An answer to a token that is no longer this tab's does not count: whoever has signed
// out would be in again, or out if the old token is refused.
async function look() {
  const token = session.token();
  const current = () => token === session.token();
  let answer;
  try {
    answer = await client.figures();
  } catch (refusal) {
    if (current()) throw refusal;
  }
  if (!answer || !current()) return;
  room.figures = answer;
  room.history.push(answer);
  if (room.history.length > window) room.history.shift();
  Object.assign(room, { problem: null, admitted: true });
  follow();
  tell("room");
}

// follow adds what the figures say to the story, and reads the ledger on from time to time: it says how holds ended.
let lastRead = 0;

function follow() {
  const drop = dropOf(room.drop);
  if (!drop || !room.story || room.reading) return;
  const seen = room.story.seen;
  if (seen === drop.version) return;
  add(room.story, now() / 1000, drop);
  if (performance.now() - lastRead > 3000) readLedger();
  tell("story");
}

export const dropOf = (id) => room.figures?.drops.find((d) => d.id === id);

export async function watch(id) {
  room.drop = id;
  room.story = null;
  room.ledger = [];
  tell("room");
  if (id) await readLedger();
}

const pages = 30;
const page = 1000;
const kept = 300; // entries in the table

export async function readLedger() {
  const id = room.drop;
  if (room.reading || !id) return;
  room.reading = true;
  lastRead = performance.now();
  const version = dropOf(id)?.version;
  let more = true;
  try {
    const story = room.story || emptyStory();
    for (let n = 0; n < pages && id === room.drop; n++) {
      const { entries, next } = await client.listLedger({ id, after: story.seq, limit: page });
      readOn(story, entries);
      room.ledger = [...[...entries].reverse(), ...room.ledger].slice(0, kept);
      more = Boolean(next);
      if (!more) break;
    }
    if (id === room.drop) {
      story.live = [];
      if (more) lastRead = -Infinity; // it goes on at the next look
      else story.seen = version;
      room.story = story;
    }
  } catch (refusal) {
    room.problem = refusal;
  }
  room.reading = false;
  tell("story");
  if (id !== room.drop) readLedger();
}

// A page that was out of sight or asleep has missed some: it looks at once, and reads the ledger for what happened
// meanwhile.
let wake = () => {};

function awake() {
  lastRead = -Infinity;
  if (!document.hidden) wake();
}

const nap = () => new Promise((done) => {
  const timer = setTimeout(done, 1000);
  wake = () => {
    clearTimeout(timer);
    done();
  };
});

export async function begin() {
  onJump(awake);
  document.addEventListener("visibilitychange", awake);
  for (let looks = 0; ; looks++) {
    if (looks % 60 === 0) measure();
    if (hasToken() && !document.hidden) {
      try {
        await look();
      } catch (refusal) {
        room.problem = refusal;
        if (["unauthenticated", "invalid_token", "token_expired", "forbidden"].includes(refusal.code)) leave();
        tell("room");
      }
    }
    await nap();
  }
}

// refresh shows at once what the operator has just done.
export const refresh = () => look().catch(() => {});
