// Calls of the API, as /openapi.json describes them. A call that changes something has an Idempotency-Key, so that it can be
// sent again after a lost answer, and is.

// Refusal is an answer that says no, or (code offline) none at all. It has the members of the answer: code, field, starts_at …
export class Refusal extends Error {
  constructor(status, answer) {
    super(answer.error);
    Object.assign(this, answer, { status });
  }
}

// token is set by a page whose calls need one.
export const session = { token: () => "" };

const patience = 10_000; // ms for one try

export async function get(path, init) {
  const { answer } = await call("GET", path, init);
  return answer;
}

// newKey names one intent; randomUUID is there in secure contexts only.
export function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
}

const again = new Set(["offline", "overloaded", "unavailable", "outcome_unknown", "in_flight"]);

// post sends a change, and again under the same key while it is not known what became of it.
export async function post(path, body, { key = newKey(), tries = 5, method = "POST" } = {}) {
  for (let n = 1; ; n++) {
    try {
      const { answer } = await call(method, path, { body, headers: { "Idempotency-Key": key } });
      return answer;
    } catch (refusal) {
      if (n >= tries || !again.has(refusal.code)) throw refusal;
      await pause(Math.max(200 * 2 ** n * (0.5 + Math.random()), Math.min(refusal.retryAfter || 0, 5) * 1000));
    }
  }
}

export const pause = (ms) => new Promise((done) => setTimeout(done, ms));

export async function call(method, path, { body, headers = {}, text = false, file = false, token = session.token() } = {}) {
  const sent = performance.now();
  let response, answer;
  try {
    response = await fetch(path, {
      method,
      headers: {
        ...headers,
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...(token ? { Authorization: `Bearer ${token}` } : {}),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(patience),
    });
    answer = file && response.ok ? await response.blob() : text && response.ok ? await response.text() : await response.json();
  } catch (cause) {
    throw new Refusal(0, { error: `No answer: ${cause.message}`, code: "offline" });
  }
  if (!response.ok) {
    const retryAfter = Number(response.headers.get("Retry-After")) || 0;
    throw new Refusal(response.status, { code: "internal", error: "", ...answer, retryAfter });
  }
  return { answer, sent, received: performance.now() };
}
