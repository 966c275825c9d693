// The signatures of sneakerdrop's calls, links and notifications: Standard Webhooks 1.0, with one or two secrets.
import { createHmac, randomUUID, timingSafeEqual } from "node:crypto";

const secrets = (process.env.CHECKOUT_SECRET ?? "").split(" ").filter(Boolean);
if (secrets.length === 0) throw new Error("Set CHECKOUT_SECRET to the secret that the server has.");

/** @param {string} secret @param {string} id @param {string} seconds @param {string} text */
function sign(secret, id, seconds, text) {
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  return `v1,${createHmac("sha256", key).update(`${id}.${seconds}.${text}`).digest("base64")}`;
}

/** isSigned: one of our secrets made one of the signatures. @param {string} signatures @param {[string, string, string]} signed */
function isSigned(signatures, ...signed) {
  const same = (/** @type {string} */ a, /** @type {string} */ b) => a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
  return signatures.split(" ").some((given) => /^[\x21-\x7e]+$/.test(given) && secrets.some((s) => same(given, sign(s, ...signed))));
}

/** linkIsGood: we may let the buyer pay. @param {URLSearchParams} link */
export function linkIsGood(link) {
  const fields = ["payment", "amount", "currency", "description", "email", "return_url"];
  const text = fields.map((name) => link.get(name) ?? "").map((value) => `${Buffer.byteLength(value)}:${value},`).join("");
  const expires = link.get("expires") ?? "";
  return isSigned(link.get("signature") ?? "", "link", expires, text) && Number(expires) * 1000 > Date.now();
}

/** messageIsGood: the server sent this, and not long ago. @param {import("node:http").IncomingHttpHeaders} headers @param {string} body */
export function messageIsGood(headers, body) {
  const [id, seconds, signatures] = ["id", "timestamp", "signature"].map((name) => String(headers[`webhook-${name}`] ?? ""));
  if (!id || !seconds || !signatures) return false;
  const isFresh = Math.abs(Date.now() / 1000 - Number(seconds)) <= 300;
  return isFresh && isSigned(signatures, id, seconds, body);
}

/** signedHeaders are those of a message of ours. @param {string} body */
export function signedHeaders(body) {
  const id = `msg_${randomUUID()}`;
  const seconds = String(Math.floor(Date.now() / 1000));
  const signature = secrets.map((s) => sign(s, id, seconds, body)).join(" ");
  return { "content-type": "application/json", "webhook-id": id, "webhook-timestamp": seconds, "webhook-signature": signature };
}
