import { moment, spoken, plural } from "./format.js";
import { now } from "./client.js";

// What each refusal means to the person in front of the page: what happened, and what to do. The codes are those of
// the API.
const words = {
  // Buying.
  out_of_stock: () => "Somebody was quicker: nothing is left. A pair can still come back while others hold theirs, so keep an eye on the stock.",
  not_started: (r) => `Not yet. This drop starts ${r.starts_at ? `at ${moment(Date.parse(r.starts_at), now())}` : "soon"}; the button opens by itself.`,
  paused: () => "The shop has paused this drop. It goes on right here as soon as they resume it.",
  archived: () => "This drop is over. Thank you for coming.",
  drop_not_found: () => "This drop is not there any more.",
  size_required: () => "Pick your size first.",
  size_not_found: () => "This drop does not come in that size. Pick another one.",
  limit_reached: (r) => `${r.limit ? `${plural(r.limit, "pair")} a person` : "No more"}, that is the limit here, and you have ${r.used ? plural(r.used, "pair") : "yours"}.`,
  cooldown: (r) => `You have let several holds run out. You can reserve again in ${spoken(r.retry_in_ms || 60_000)}.`,
  exhausted: () => "This drop takes no more reservations. Please tell the shop.",
  reservation_expired: () => "The time ran out before the purchase, and the pair went back on sale.",
  answer_late: () => "Your reservation expired before its confirmation reached you. Try again while pairs are left.",
  reservation_cancelled: () => "You gave this pair back already.",
  reservation_not_found: () => "We cannot find this reservation. It may belong to another buyer.",
  already_purchased: () => "You have bought this pair already. To give it back, ask the shop for a refund.",
  user_not_found: () => "We do not know you under this name any more. Tell us your name once more.",
  token_not_found: () => "That token is not there any more.",
  // Signing in.
  unauthenticated: () => "Sign in first.",
  invalid_token: () => "Your sign-in is not good here any more. Please sign in again.",
  token_expired: () => "Your sign-in has ended. Please sign in again.",
  forbidden: () => "This is not yours to do.",
  cross_origin: () => "Your browser sent this from another site. Open the shop itself and try again.",
  misdirected_request: () => "This server does not answer under this address. Open the shop at its own address.",
  // The way there.
  offline: () => "No connection. Try again when you are back online.",
  timeout: () => "The shop did not answer in time. Try again in a moment.",
  unreadable: () => "Something between you and the shop answered in its place, such as a network's sign-in page. Check your connection and try again.",
  stopped: () => "You stopped this before it was done.",
  rate_limited: (r) => `That was a lot at once. Try again in ${spoken(r.retry_in_ms || (r.retryAfter || 1) * 1000)}.`,
  overloaded: () => "We're very busy right now. Your request didn't go through. Try again in a moment.",
  unavailable: () => "The shop can't be reached right now. Your request didn't go through. Try again in a moment.",
  outcome_unknown: () => "We couldn't confirm whether that went through. Check here before you try again.",
  in_flight: () => "Your earlier click is still being processed. Try again in a moment.",
  not_ready: () => "The shop is just starting. Try again in a moment.",
  internal: () => "Something went wrong on our side. Try again; if it stays, tell the shop.",
  idempotency_mismatch: () => "That click got mixed up with another one. Please try again.",
  damaged: () => "The books of this drop do not agree. The shop has to run an audit.",
  // Operating.
  invalid: (r) => sentence(r.error) || "Something in the form is not right.",
  fixed: (r) => sentence(r.error) || "This cannot change any more.",
  not_now: (r) => sentence(r.error) || "This has to wait.",
  stock_in_use: (r) => `Only unsold pairs can be taken away: ${plural(r.available ?? 0, "pair")} at most.`,
  bad_json: () => "The page sent something that the shop cannot read. Reload it and try again.",
  too_large: () => "That is too long. Shorten it and try again.",
  unsupported_media_type: () => "The page sent something that the shop cannot read. Reload it and try again.",
  method_not_allowed: () => "The shop does not offer this here. Reload the page.",
  route_not_found: () => "The shop does not offer this here. Reload the page.",
};

const sentence = (text) => text && text[0].toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");

export const knows = (code) => Object.keys(words).includes(code);

export function explain(refusal) {
  const say = words[knows(refusal.code) ? refusal.code : "internal"];
  return say(refusal);
}
