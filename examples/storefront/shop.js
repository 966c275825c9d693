// The page of a shop that sells its drops with a sneakerdrop server of another origin.
import { createClient, Refusal } from "./sneakerdrop.js";

/**
 * @typedef {import("./sneakerdrop.js").Drop} Drop
 * @typedef {import("./sneakerdrop.js").Reservation} Reservation
 * @typedef {import("./sneakerdrop.js").Refusal} Refused
 * @typedef {{ name: string, token: string, until: number, id?: number }} Buyer until: ms since 1970; id: that of the drops server
 */

/** @param {string} id */
const $ = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
const nameField = /** @type {HTMLInputElement} */ ($("name"));
const server = /** @type {HTMLMetaElement} */ (document.querySelector('meta[name="drops-server"]')).content;
const shop = createClient({ server, token });
const money = new Intl.NumberFormat("en", { style: "currency", currency: "USD" });

// The buyer. The name outlives a reload; the token is kept in memory only, where it is hardest to steal.

/** @type {Buyer | null} */
let buyer = null;

/** @param {string} name @returns {Promise<Buyer>} */
async function session(name) {
  const answer = await fetch("/session", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ name }),
  }).catch(() => null);
  if (!answer?.ok) throw new Refusal(answer?.status ?? 0, { code: "offline", error: "The shop does not sign anybody in" });
  const { token, expires_at, ...known } = await answer.json();
  return { ...known, token, until: Date.parse(expires_at) };
}

// renew gives the buyer a new token. Calls that ask meanwhile get the same one.
/** @type {Promise<Buyer> | null} */
let renewing = null;
/** @param {Buyer} who */
function renew(who) {
  renewing ??= session(who.name)
    .then((fresh) => Object.assign(who, fresh))
    .finally(() => (renewing = null));
  return renewing;
}

// token is asked for by the library before each call and each connection. One that ends within half a minute is
// renewed; the server takes it for that long still, so that nothing is lost where our backend is away.
async function token() {
  if (buyer && buyer.until - shop.now() < 30_000) await renew(buyer).catch(() => {});
  return buyer?.token ?? "";
}

/** @param {string} name */
async function signIn(name) {
  buyer = await session(name);
  sessionStorage.setItem("name", buyer.name);
  live.reconnect(); // now with the token; what is the buyer's is read when the connection is there
  drawBuyer();
}

function signOut(why = "You are signed out.") {
  buyer = null;
  mine.clear();
  sessionStorage.removeItem("name");
  live.reconnect();
  drawBuyer();
  drawMine();
  say(why);
}

// signed makes a call. If the server refuses the token, it repeats the call with a new one: the token may have ended
// while the device slept, or the shop has a new secret.
/** @template T @param {() => Promise<T>} call */
async function signed(call) {
  const who = buyer;
  try {
    return await call();
  } catch (refusal) {
    if (!(refusal instanceof Refusal && refusal.needsSignIn && who)) throw refusal;
    await renew(who);
    return call();
  }
}

// What the buyer has.

/** @type {Map<number, Reservation>} by their ids */
const mine = new Map();

/** @param {Reservation} reservation */
function keep(reservation) {
  const before = mine.get(reservation.id);
  if (!buyer || (buyer.id && buyer.id !== reservation.userId)) return; // of whoever was signed in before
  if (before && before.status !== "active") return; // it has ended: this was on its way when it did
  mine.set(reservation.id, reservation);
  if (before && reservation.status === "expired") say(`Time is up: ${nameOf(reservation)} is back on sale.`);
  drawMine();
}

async function readMine() {
  const who = buyer;
  if (!who) return;
  who.id ??= (await shop.me()).id;
  for (const reservation of await shop.listReservations({ id: who.id, limit: 200 })) if (who === buyer) keep(reservation);
}

// act makes a call for a click, and says what came of it. Clicks meanwhile do nothing.
/** @param {HTMLElement} button @param {() => Promise<string>} call */
async function act(button, call) {
  if (button.ariaBusy === "true" || button.ariaDisabled === "true") return;
  button.ariaBusy = "true";
  try {
    say(await signed(call));
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
    if (refusal.needsSignIn && buyer) signOut(explain(refusal));
    else say(explain(refusal));
    readMine().catch(() => {}); // perhaps it went through
  } finally {
    button.ariaBusy = null;
  }
}

/** @param {Drop} drop @param {HTMLElement} button @param {string} [size] */
function reserve({ id, name, sizes }, button, size) {
  if (!buyer) {
    say("Sign in first.");
    nameField.focus();
  } else if (sizes && !size) {
    say("Pick your size first.");
  } else {
    act(button, async () => {
      keep(await shop.reserve({ dropId: id, ...(size ? { size } : {}) }));
      return `${name} is reserved for you.`;
    });
  }
}

/** @param {Reservation} hold @param {HTMLElement} button */
const buy = (hold, button) =>
  act(button, async () => {
    await shop.purchase({ reservationId: hold.id });
    keep({ ...hold, status: "completed" });
    return `It's yours! You purchased ${nameOf(hold)}.`;
  });

/** @param {Reservation} hold @param {HTMLElement} button */
const release = (hold, button) =>
  act(button, async () => {
    keep(await shop.cancel({ reservationId: hold.id }));
    return `You released ${nameOf(hold)}.`;
  });

// What the page says of refusals, by their code. The server's sentence stands in for the rest.

/** @type {{ [Code in Refused["code"]]?: (refusal: Refused & { code: Code }) => string }} */
const words = {
  out_of_stock: () => "Sold out. Someone got there first; a pair may come back if a hold expires.",
  not_started: () => "This drop has not started yet.",
  paused: () => "Sales are paused. Please check back.",
  archived: () => "This drop is over.",
  size_required: () => "Pick your size first.",
  limit_reached: (r) => `The limit is ${r.limit} per person, and you already have ${r.used}.`,
  cooldown: (r) => `You let several holds expire. You can reserve again in ${clock(r.retry_in_ms)}.`,
  reservation_expired: () => "Your reservation has expired, and the pair went back on sale.",
  answer_late: () => "Your reservation expired before we heard of it. Please try again.",
  reservation_cancelled: () => "You have released this pair already.",
  already_purchased: () => "You have purchased this pair already.",
  rate_limited: () => "That was a lot at once. Please try again in a moment.",
  overloaded: () => "We're very busy right now. Your request didn't go through.",
  token_expired: () => "Your session has ended. Please sign in again.",
  invalid_token: () => "Your session is no longer valid. Please sign in again.",
  offline: () => "We can't reach the shop. Check your connection and try again.",
  timeout: () => "We couldn't confirm whether that went through. We're checking…",
};

/** @param {Refused} refusal */
const explain = (refusal) => /** @type {((r: Refused) => string) | undefined} */ (words[refusal.code])?.(refusal) ?? refusal.message;

// Drawing. Elements stay where they are and only their text changes, so that nobody loses the focus to an update.

/** @param {string} text */
const say = (text) => ($("said").textContent = text);
/** @param {number} ms */
const clock = (ms) => `${Math.floor(Math.ceil(ms / 1000) / 60)}:${String(Math.ceil(ms / 1000) % 60).padStart(2, "0")}`;
/** @param {Reservation} of */
const nameOf = ({ dropId, size }) => `${live.drops.get(dropId)?.name ?? `drop ${dropId}`}${size ? `, size ${size}` : ""}`;
/** @param {string} template */
const make = (template) => /** @type {HTMLElement} */ (/** @type {HTMLTemplateElement} */ ($(template)).content.firstElementChild?.cloneNode(true));
/** @param {HTMLElement} within @param {string} selector */
const part = (within, selector) => /** @type {HTMLElement} */ (within.querySelector(selector));
/** @param {HTMLElement} list */
const rowsOf = (list) => /** @type {HTMLElement[]} */ ([...list.children]);

// row returns the element with a key in a list, made if there is none.
/** @param {HTMLElement} list @param {number} key @param {() => HTMLElement} build */
function row(list, key, build) {
  let element = rowsOf(list).find((e) => e.dataset.key === String(key));
  if (!element) {
    element = build();
    element.dataset.key = String(key);
    list.append(element);
  }
  return element;
}

// prune removes the elements that are no more. If one of them had the focus, the heading above has it then.
/** @param {HTMLElement} list @param {{ has(key: number): boolean }} keys @param {HTMLElement} heading */
function prune(list, keys, heading) {
  for (const element of rowsOf(list)) {
    if (keys.has(Number(element.dataset.key))) continue;
    if (element.contains(document.activeElement)) heading.focus();
    element.remove();
  }
}

function drawBuyer() {
  $("sign-in").hidden = buyer !== null;
  $("signed-in").hidden = $("yours").hidden = buyer === null;
  $("buyer").textContent = buyer?.name ?? "";
}

function drawMine() {
  /** @param {Reservation["status"]} status */
  const those = (status) => new Map([...mine].filter(([, r]) => r.status === status));
  const [holds, bought] = [those("active"), those("completed")];
  prune($("holds"), holds, $("yours-title"));
  for (const [id, hold] of holds) {
    const element = row($("holds"), id, () => {
      const made = make("hold");
      const [buying, releasing] = [part(made, ".buy"), part(made, ".release")];
      buying.onclick = () => buy(hold, buying);
      releasing.onclick = () => release(hold, releasing);
      return made;
    });
    part(element, "h3").textContent = nameOf(hold);
    const left = shop.remaining(hold);
    part(element, ".left").textContent = left > 0 ? clock(left) : "time is up";
    for (const button of element.querySelectorAll("button")) button.ariaDisabled = String(left === 0);
  }
  prune($("bought"), bought, $("yours-title"));
  for (const [id, r] of bought) row($("bought"), id, () => document.createElement("li")).textContent = `Purchased: ${nameOf(r)}`;
  $("nothing").hidden = holds.size + bought.size > 0;
}

/** @param {Drop} drop */
function drawDrop(drop) {
  const element = row($("drops"), drop.id, () => {
    const made = make("drop");
    const button = part(made, "button");
    button.onclick = () => {
      const now = live.drops.get(drop.id);
      const size = /** @type {HTMLInputElement | null} */ (made.querySelector("input:checked:enabled"));
      if (now) reserve(now, button, size?.value);
    };
    return made;
  });
  part(element, "h3").textContent = drop.name;
  part(element, ".price").textContent = money.format(drop.price);
  part(element, ".stock").textContent = `${drop.available_stock} of ${drop.total_stock} in stock`;
  const sizes = part(element, "fieldset");
  sizes.hidden = !drop.sizes;
  for (const { size, available_stock } of drop.sizes ?? []) {
    let label = [...sizes.querySelectorAll("label")].find((l) => l.dataset.size === size);
    if (!label) {
      label = /** @type {HTMLLabelElement} */ (make("size"));
      label.dataset.size = size;
      Object.assign(part(label, "input"), { name: `size-${drop.id}`, value: size });
      sizes.append(label);
    }
    part(label, "input").toggleAttribute("disabled", available_stock === 0);
    part(label, "span").textContent = available_stock > 0 ? `${size} (${available_stock} left)` : `${size} (sold out)`;
  }
  const starts = Date.parse(drop.start_time) - shop.now();
  const closed = drop.paused ? "Paused" : starts > 0 ? startsIn(starts, drop) : drop.available_stock === 0 ? "Sold out" : "";
  const button = part(element, "button");
  button.ariaDisabled = String(closed !== "");
  button.textContent = closed || "Reserve";
}

/** @param {number} ms @param {Drop} drop */
const startsIn = (ms, { start_time }) => (ms < 3_600_000 ? `Starts in ${clock(ms)}` : `Starts ${new Date(start_time).toLocaleString()}`);

const live = shop.watch({
  drop: drawDrop,
  list(drops) {
    prune($("drops"), live.drops, $("drops-title"));
    $("none").textContent = drops.length > 0 ? "" : "Nothing on sale yet.";
  },
  failed: (refusal) => ($("none").textContent = explain(refusal)),
  reservation: keep,
  state({ up, lost }) {
    $("link").textContent = up ? "Live" : lost ? "Connection lost. Reconnecting…" : "Connecting…";
    $("link").className = lost ? "lost" : "";
  },
  sync: () => readMine().catch(() => {}),
  refused(refusal) {
    if (!refusal.needsSignIn || !buyer) return;
    signed(() => shop.me()).then(live.reconnect, (again) => again.needsSignIn && buyer && signOut(explain(again)));
  },
});

// Time goes on in holds, and in drops that start soon.
setInterval(() => {
  drawMine();
  for (const drop of live.drops.values()) if (Date.parse(drop.start_time) > shop.now() - 2000) drawDrop(drop);
}, 500);

$("sign-in").onsubmit = (e) => {
  e.preventDefault();
  signIn(nameField.value).then(
    () => {
      say(`Hello ${buyer?.name}.`);
      $("yours-title").focus();
    },
    (refusal) => say(explain(refusal)),
  );
};
$("sign-out").onclick = () => {
  signOut();
  nameField.focus();
};
const name = sessionStorage.getItem("name");
if (name) signIn(name).catch((refusal) => say(explain(refusal)));
