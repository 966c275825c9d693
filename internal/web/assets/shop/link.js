// The live connection of the shop window: what it tells goes to the catalog and the hands, and after each loss all is asked
// for again.
import { connect } from "../shared/live.js";
import { say } from "../shared/say.js";
import { tell } from "../shared/topics.js";
import { measure, onJump } from "../shared/clock.js";
import { buyer, signInFailed, token } from "./buyer.js";
import { catalog, loadAll, moved, refresh } from "./catalog.js";
import { forgive, heard, recount } from "./hands.js";

// up: connected now. lost: gone for long enough to say so.
export const link = { up: false, lost: false };

let grace = 0;
let refused = false;
let socket = null;

// signInAnew has the connection made again with the token of now.
export function signInAnew() {
  refused = false;
  socket?.disconnect().connect();
}

function state(up, code) {
  if (code && signInFailed({ code })) refused = true;
  if (up) {
    clearTimeout(grace);
    grace = 0;
    if (link.lost) say("Connected again.");
    Object.assign(link, { up: true, lost: false });
    resync();
  } else {
    link.up = false;
    grace ||= setTimeout(() => {
      link.lost = true;
      tell("link");
    }, 1200);
  }
  tell("link");
}

export function resync() {
  recount().then((told) => told && link.up && forgive());
  measure();
  return loadAll().catch(() => {});
}

// What depends on the time is drawn anew when that has jumped. Who slept for longer than a connection lives without a sign of
// life makes a new one, and need not wait to find out that the old one is dead.
const deaf = 20_000; // ms

onJump((ms, slept) => {
  for (const id of catalog.drops.keys()) tell(`drop:${id}`);
  for (const topic of ["phases", "hands"]) tell(topic);
  if (!slept || Math.abs(ms) < deaf) return;
  if (socket?.connected) socket.disconnect().connect();
  else resync();
});

export async function start() {
  const handlers = {
    stock_update: (update) => moved(update) || refresh(update.dropId, true),
    drop_update: ({ dropId }) => refresh(dropId, true),
    purchase_complete: ({ dropId }) => refresh(dropId),
    reservation_update: heard,
  };
  try {
    socket = await connect(handlers, { token: () => (refused || buyer.problem ? "" : token()), state });
  } catch {
    state(false); // the client itself did not come
    setTimeout(start, 3000);
  }
}
