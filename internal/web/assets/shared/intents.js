// Intents tie a key to what somebody wants done for as long as its outcome is not known: a second click, or a try after a lost
// answer, is the same request and is done once. After a minute without a try a click means something new.
import { newKey, unsure } from "./api.js";
import { now } from "./clock.js";

const lasts = 60_000; // ms
const open = new Map(); // intent → {key, at: its last try}

// intend has send called with the key of the intent, and whether that key was sent before.
export async function intend(intent, send) {
  const known = open.get(intent);
  const again = known !== undefined && Math.abs(now() - known.at) < lasts;
  const current = again ? known : { key: newKey() };
  current.at = now();
  open.set(intent, current);
  try {
    const answer = await send(current.key, again);
    settle(intent, current);
    return answer;
  } catch (refusal) {
    current.at = now();
    if (!unsure.has(refusal.code)) settle(intent, current);
    throw refusal;
  }
}

// settle ends an intent whose outcome is known, by an answer or otherwise.
export function settle(intent, which = open.get(intent)) {
  if (open.get(intent) === which) open.delete(intent);
}
