// How a buyer's token reaches the page. The page sends buyers to the shop's sign-in page with a random state. A token
// that comes back with that state was requested here. Any other token may be an attacker's, in a link that makes the
// buyer shop under the attacker's account. So the page asks first, even if nobody is signed in.
import { newKey } from "../client/sneakerdrop.js";
import { client } from "../shared/client.js";
import { identity } from "../shared/config.js";
import { tell } from "../shared/topics.js";
import { become, buyer, recall, signedIn, signInFailed, tab, token } from "./buyer.js";
import { lookAnew } from "./checkout.js";
import { letGo, recount } from "./hands.js";
import { signInAnew } from "./link.js";

const stateKey = "sneakerdrop.sign-in";

// offer is a token that was not requested here, until the buyer decides. who is its bearer according to the server,
// refusal the reason if the server refused it.
export const offer = { token: "", who: null, refusal: null };

// signInAddress is where a buyer signs in, with the state that must come back with the token. An address that already
// has a state does not change.
export function signInAddress(address) {
  const to = new URL(address, location.href);
  if (to.searchParams.has("state")) return address;
  const state = tab.get(stateKey) || newKey();
  tab.set(stateKey, state);
  to.search += `${to.search ? "&" : "?"}state=${state}`;
  return to.href;
}

// A header takes nothing else, and a server not more.
const plausible = /^[\x21-\x7e]{1,8000}$/;

// arrived takes a token out of the address, where it must not stay: addresses are copied and kept. It reports whether
// the token was asked for here and is the page's from now on; another one becomes the offer.
export function arrived() {
  const given = new URLSearchParams(location.hash.slice(1));
  if (!given.has("token")) return false;
  history.replaceState(null, "", location.pathname + location.search);
  const sent = given.get("token");
  if (!identity || !plausible.test(sent) || sent === token()) return false;
  const state = tab.get(stateKey);
  if (state !== "" && given.get("state") === state) {
    take(sent);
    return true;
  }
  Object.assign(offer, { token: sent, who: null, refusal: null });
  tell("buyer");
  return false;
}

function take(sent) {
  tab.set(stateKey, ""); // good for one token
  become(sent);
}

export const refusedForGood = () => offer.refusal !== null && (offer.refusal.needsSignIn || offer.refusal.code === "forbidden");

// lookAtOffer asks the server whose token is offered. It comes after recall, which says who is signed in.
export async function lookAtOffer() {
  const sent = offer.token;
  if (sent === "") return;
  Object.assign(offer, { who: null, refusal: null });
  tell("buyer");
  let who = null;
  let refusal = null;
  try {
    who = await client.me({}, { token: sent });
  } catch (r) {
    refusal = r;
  }
  if (sent !== offer.token) return; // another one came, or the buyer has decided
  Object.assign(offer, { who, refusal });
  if (who && signedIn() && who.id === buyer.id) acceptOffer(); // a newer token of the same buyer
  else if (refusedForGood() && !signedIn() && refusal.code !== "forbidden") {
    declineOffer();
    signInFailed(refusal);
  } else tell("buyer");
}

export function acceptOffer() {
  take(offer.token);
  declineOffer();
  return changeOver();
}

export function declineOffer() {
  Object.assign(offer, { token: "", who: null, refusal: null });
  tell("buyer");
}

// changeOver has the open page go on as the buyer that the token is now: nothing of another one stays on it.
export function changeOver() {
  letGo();
  return recall().then(recount).then(signInAnew).then(lookAnew);
}
