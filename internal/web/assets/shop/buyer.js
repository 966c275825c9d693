// Who is in front of the page: a name that was asked for once, or with identity the bearer of a token from the shop.
import { identity } from "../shared/config.js";
import { client, session } from "../shared/client.js";
import { tell } from "../shared/topics.js";

const nameKey = "sneakerdrop.buyer";
const tokenKey = "sneakerdrop.token";
export const codesKey = "sneakerdrop.codes"; // of early access

export const buyer = { id: 0, name: "", problem: null };

// Storage may be forbidden; the page then knows the buyer until it is closed.
const memory = new Map();

function store(storage) {
  const kind = () => globalThis[storage];
  return {
    get(key) {
      try {
        return kind().getItem(key) ?? "";
      } catch {
        return memory.get(key) ?? "";
      }
    },
    set(key, value) {
      try {
        if (value) kind().setItem(key, value);
        else kind().removeItem(key);
      } catch {
        memory.set(key, value);
      }
    },
  };
}

const local = store("localStorage");
export const tab = store("sessionStorage");

// become makes the bearer of a token the page's buyer; recall then asks who that is.
export function become(given) {
  tab.set(tokenKey, given);
  Object.assign(buyer, { id: 0, name: "", problem: null });
  tell("buyer");
}

export const token = () => (identity ? tab.get(tokenKey) : "");

export const signedIn = () => (identity ? token() !== "" && buyer.problem === null : buyer.name !== "");

export async function recall() {
  session.token = token;
  if (identity) {
    if (token() === "") return;
    try {
      const me = await client.me();
      Object.assign(buyer, { id: me.id, name: me.username, problem: null });
    } catch (refusal) {
      signInFailed(refusal);
    }
  } else {
    try {
      const kept = JSON.parse(local.get(nameKey) || "{}");
      Object.assign(buyer, { id: Number(kept.id) || 0, name: String(kept.name || "") });
    } catch {
      local.set(nameKey, "");
    }
  }
  tell("buyer");
}

// signInFailed notes a refusal that only a new token helps against. It reports whether it is one.
export function signInFailed(refusal) {
  if (!identity || !refusal.needsSignIn) return false;
  buyer.problem = refusal;
  tell("buyer");
  return true;
}

export async function introduce(name) {
  const user = await client.ensureUser({ username: name });
  knownAs(user.id, user.username);
}

export function knownAs(id, name = buyer.name) {
  if (buyer.id === id && buyer.name === name) return;
  Object.assign(buyer, { id, name });
  if (!identity) local.set(nameKey, JSON.stringify({ id, name }));
  tell("buyer");
}

export function forget() {
  Object.assign(buyer, { id: 0, name: "", problem: null });
  local.set(nameKey, "");
  for (const key of [tokenKey, codesKey]) tab.set(key, "");
  tell("buyer");
}
