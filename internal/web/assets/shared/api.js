// Calls of the API, as /openapi.json describes them. A call that changes something has an Idempotency-Key, so that it can be
// sent again after a lost answer, and is.
import { stamp } from "./clock.js";

// Refusal is an answer that says no, or none at all (code offline or timeout), or one that is not the API's (unreadable). It has
// the members of the answer: code, field, starts_at …
export class Refusal extends Error {
  constructor(status, answer) {
    super(answer.error);
    Object.assign(this, answer, { status });
  }
}

// token is set by a page whose calls need one.
export const session = { token: () => "" };

// silence is how long nothing may come, neither the head of an answer nor a further part of its body, until a call is given up
// (ms). How long all of it takes does not matter: a phone on a slow line gets its megabytes too.
const silence = 10_000;

export async function get(path, init) {
  const { answer } = await call("GET", path, init);
  return answer;
}

// newKey names one intent; randomUUID is there in secure contexts only.
export function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
}

// unsure are the codes after which nobody here knows whether the call was done.
export const unsure = new Set(["offline", "timeout", "unreadable", "outcome_unknown", "in_flight"]);

const again = new Set([...unsure, "overloaded", "unavailable"]);

// post sends a change, and again under the same key while it is not known what became of it. told is given whether the answer
// may be a replay of an earlier one: the server says so, or this is not the first try.
export async function post(path, body, { key = newKey(), tries = 5, method = "POST", told } = {}) {
  for (let n = 1; ; n++) {
    try {
      const { answer, replayed } = await call(method, path, { body, headers: { "Idempotency-Key": key } });
      told?.(replayed || n > 1);
      return answer;
    } catch (refusal) {
      if (n >= tries || !again.has(refusal.code)) throw refusal;
      await pause(Math.max(200 * 2 ** n * (0.5 + Math.random()), Math.min(refusal.retryAfter || 0, 5) * 1000));
    }
  }
}

export const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// call makes one call. as is what its answer is read as: json, or blob for a file. patience replaces silence, progress is told
// how many bytes there are so far, and stop, a signal of an AbortController, ends the call with the code stopped.
export async function call(method, path, { body, headers = {}, as = "json", patience = silence, progress, stop, token = session.token() } = {}) {
  const watch = silenceWatch(patience, stop);
  const sent = stamp();
  let response, content;
  try {
    response = await fetch(path, {
      method,
      headers: {
        ...headers,
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...(token ? { Authorization: `Bearer ${token}` } : {}),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: watch.signal,
    });
    content = await read(response, (n) => {
      watch.heard();
      progress?.(n);
    });
  } catch (cause) {
    throw new Refusal(0, { error: `No answer: ${cause.message}`, code: watch.ended() || "offline" });
  } finally {
    watch.stop();
  }
  const received = stamp();
  const replayed = response.headers.get("Idempotent-Replayed") === "true";
  if (response.ok && as === "blob") return { answer: content, sent, received, replayed };
  const answer = await parsed(response, content);
  if (!response.ok) {
    const retryAfter = Number(response.headers.get("Retry-After")) || 0;
    throw new Refusal(response.status, { code: "internal", error: "", ...answer, retryAfter, sent, received });
  }
  return { answer, sent, received, replayed };
}

// silenceWatch aborts by its signal when nothing was heard for too long, or when the caller stops. AbortSignal.timeout and any,
// which would do that, are not in every browser.
function silenceWatch(patience, stop) {
  const controller = new AbortController();
  let why = "";
  let timer = 0;
  const end = (code) => {
    why = why || code;
    controller.abort();
  };
  const heard = () => {
    clearTimeout(timer);
    if (Number.isFinite(patience)) timer = setTimeout(end, patience, "timeout");
  };
  const stopped = () => end("stopped");
  if (stop?.aborted) stopped();
  stop?.addEventListener("abort", stopped);
  heard();
  return {
    signal: controller.signal,
    heard,
    ended: () => why,
    stop: () => {
      clearTimeout(timer);
      stop?.removeEventListener("abort", stopped);
    },
  };
}

// read returns the body, telling how much of it there is with each part.
async function read(response, tell) {
  tell(0);
  const parts = [];
  let size = 0;
  const reader = response.body?.getReader();
  while (reader) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    size += value.length;
    tell(size);
  }
  return new Blob(parts, { type: response.headers.get("Content-Type") || "" });
}

// parsed is the answer's JSON. What is none comes from somebody in between: a proxy whose server is away, or the sign-in page
// of a network.
async function parsed(response, content) {
  try {
    return JSON.parse(await content.text());
  } catch {
    throw new Refusal(response.status, { error: "The answer is not JSON", code: "unreadable" });
  }
}
