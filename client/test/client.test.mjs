// Tests of the library in Node.js, against servers that do what each test scripts: node --test client/test
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, test } from "node:test";
import { createClient, newKey, Refusal } from "../sneakerdrop.js";

const json = { "Content-Type": "application/json" };
const open = new Set();
after(() => open.forEach((server) => (server.closeAllConnections(), server.close())));

// serve answers each call by handle(call, response), where a call is {method, path, key, token, body, n: how many
// came before it}.
async function serve(handle) {
  const calls = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const part of request) body += part;
    if (request.url === "/health") return response.writeHead(200, json).end(JSON.stringify({ timestamp: new Date().toISOString() }));
    const call = {
      method: request.method, path: request.url, key: request.headers["idempotency-key"], token: request.headers.authorization,
      body: body && JSON.parse(body), n: calls.length,
    };
    calls.push(call);
    return handle(call, response);
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  open.add(server);
  return { server: `http://127.0.0.1:${server.address().port}`, calls, stop: () => (server.closeAllConnections(), server.close()) };
}

const ok = (response, answer, headers) => response.writeHead(200, { ...json, ...headers }).end(JSON.stringify(answer));
const no = (response, status, code, more, headers) => response.writeHead(status, { ...json, ...headers }).end(JSON.stringify({ error: code, code, ...more }));
const lost = (response) => response.destroy();

const refusal = (code, more) => (e) => {
  assert.ok(e instanceof Refusal, String(e.stack));
  assert.equal(e.code, code);
  for (const [name, value] of Object.entries(more ?? {})) assert.equal(e[name], value, name);
  return true;
};

const hold = (id, ms = 60_000) => ({
  id, dropId: 1, userId: 7, status: "active", createdAt: new Date(Date.now()).toISOString(), expires_at: new Date(Date.now() + ms).toISOString(),
});

const until = async (what) => {
  for (const end = Date.now() + 20_000; !what(); ) {
    assert.ok(Date.now() < end, `waited 20 s for ${what}`);
    await new Promise((done) => setTimeout(done, 5));
  }
};

test("the input goes where its call wants it", async () => {
  const { server, calls } = await serve((call, response) => ok(response, call.path.includes("/events") ? {} : []));
  const shop = createClient({ server: `${server}//`, token: async () => "abc" });
  await shop.listPurchases({ id: 3, after: 0, q: "a b&c", order: undefined, before: null });
  await shop.editDrop({ id: 4, image_url: null, name: "x", price: undefined });
  await shop.pause({ id: 5 });
  await shop.me({}, { token: "" });
  assert.deepEqual(calls.map((c) => `${c.method} ${c.path} ${JSON.stringify(c.body)} ${c.token}`), [
    'GET /api/drops/3/purchases?after=0&q=a+b%26c "" Bearer abc',
    'PATCH /api/drops/4 {"image_url":null,"name":"x"} Bearer abc',
    "POST /api/drops/5/pause {} Bearer abc",
    'GET /api/users/me "" undefined',
  ]);
  await assert.rejects(shop.getDrop(), /needs id/);
  assert.equal(calls.length, 4);
});

const spoils = {
  "its answer is lost": lost,
  "its answer is cut": (response) => response.writeHead(200, { ...json, "Content-Length": 1000 }).write("{", () => response.destroy()),
  "a network answers in its place": (response) => response.writeHead(200, { "Content-Type": "text/html" }).end("<h1>Sign in to the Wi-Fi</h1>"),
  "a proxy answers in its place": (response) => response.writeHead(502, { "Content-Type": "text/html" }).end("<h1>Bad gateway</h1>"),
  "the server is overloaded": (response) => no(response, 503, "overloaded", {}, { "Retry-After": "1" }),
  "nobody knows": (response) => no(response, 503, "outcome_unknown"),
};

test("a change is made again under its key", { concurrency: true }, (t) =>
  Promise.all(Object.entries(spoils).map(([name, spoil]) =>
    t.test(`when ${name}`, async () => {
      const { server, calls } = await serve((call, response) => (call.n < 2 ? spoil(response) : ok(response, { id: 9, username: "ann" })));
      assert.equal((await createClient({ server }).ensureUser({ username: "ann" })).id, 9);
      assert.equal(calls.length, 3);
      assert.match(calls[0].key, /^[0-9a-f]{32}$/);
      assert.ok(calls.every((c) => c.key === calls[0].key && c.body.username === "ann"));
    }),
  )),
);

test("a refusal ends a call, and so does an intent", async () => {
  const { server, calls } = await serve((_, response) => no(response, 409, "out_of_stock"));
  const shop = createClient({ server });
  for (let i = 0; i < 2; i++) await assert.rejects(shop.reserve({ dropId: 1, userName: "a" }), refusal("out_of_stock", { status: 409, unsure: false, needsSignIn: false }));
  assert.equal(calls.length, 2);
  assert.notEqual(calls[0].key, calls[1].key);
});

test("a read is tried once, unless its caller wants more", async () => {
  const { server, calls } = await serve((_, response) => lost(response));
  const shop = createClient({ server });
  await assert.rejects(shop.listDrops(), refusal("offline", { status: 0, unsure: true }));
  assert.equal(calls.length, 1);
  await assert.rejects(shop.listDrops({}, { tries: 2 }), refusal("offline"));
  assert.equal(calls.length, 3);
  assert.equal(calls[0].key, undefined);
});

test("clicks while a call is under way are one, and the next one is another", async () => {
  const { server, calls } = await serve((call, response) => setTimeout(ok, 50, response, call.method === "GET" ? [] : hold(call.n + 1)));
  const shop = createClient({ server });
  const input = { dropId: 1, userName: "a" };
  await Promise.all([shop.reserve(input), shop.reserve(input), shop.reserve({ ...input, size: "9" })]);
  await shop.reserve(input);
  assert.equal(calls[0].key, calls[1].key);
  assert.equal(new Set(calls.filter((c) => c.path.endsWith("/reserve")).map((c) => c.key)).size, 3);
});

test("an intent outlives a call of which nobody knows, until it is settled", async () => {
  const { server, calls } = await serve((call, response) => (call.n === 3 ? ok(response, { purchase: {} }) : lost(response)));
  const shop = createClient({ server });
  const buy = (options) => shop.purchase({ reservationId: 5 }, { tries: 1, ...options });
  await assert.rejects(buy(), refusal("offline"));
  await assert.rejects(buy({ intent: "mine" }), refusal("offline"));
  await assert.rejects(buy({ intent: "mine" }), refusal("offline"));
  await buy();
  shop.settle("mine");
  await assert.rejects(buy({ intent: "mine" }), refusal("offline"));
  await assert.rejects(buy({ key: "k-1" }), refusal("offline"));
  const [a, b, c, d, e, f] = calls.map((call) => call.key);
  assert.ok(a === d && b === c && a !== b && e !== b && f === "k-1", JSON.stringify([a, b, c, d, e, f]));
});

test("a busy server does not say what became of the tries before", async () => {
  const answers = [lost, (r) => no(r, 503, "overloaded"), (r) => no(r, 503, "unavailable"), (r) => no(r, 429, "rate_limited"), (r) => no(r, 401, "token_expired")];
  const { server, calls } = await serve((call, response) => (answers[call.n] ? answers[call.n](response) : ok(response, { purchase: {} })));
  const shop = createClient({ server });
  const buy = (tries) => shop.purchase({ reservationId: 5 }, { tries });
  await assert.rejects(buy(2), refusal("offline", { unsure: true })); // not that nothing was done
  await assert.rejects(buy(1), refusal("unavailable", { unsure: false }));
  await assert.rejects(buy(1), refusal("rate_limited"));
  await assert.rejects(buy(1), refusal("token_expired"));
  await buy(1);
  assert.equal(calls.length, 6);
  assert.equal(new Set(calls.map((call) => call.key)).size, 1);
});

test("a minute after its last try an intent is forgotten", async (t) => {
  const { server, calls } = await serve((_, response) => lost(response));
  const shop = createClient({ server });
  const buy = () => assert.rejects(shop.purchase({ reservationId: 5 }, { tries: 1 }), refusal("offline"));
  await buy();
  const real = Date.now;
  t.after(() => (Date.now = real));
  Date.now = () => real() + 59_000;
  await buy();
  Date.now = () => real() + 120_000;
  await buy();
  assert.ok(calls[0].key === calls[1].key && calls[1].key !== calls[2].key);
});

test("silence ends a call, and a slow answer does not", async () => {
  const { server } = await serve((call, response) => {
    if (call.n === 0) return; // never answered
    response.writeHead(200, json);
    let n = 0;
    const timer = setInterval(() => (++n < 15 ? response.write(" ") : (clearInterval(timer), response.end("[]"))), 300);
  });
  const shop = createClient({ server });
  await assert.rejects(shop.listDrops({}, { patience: 150 }), refusal("timeout", { unsure: true }));
  let seen = 0;
  assert.deepEqual(await shop.listDrops({}, { patience: 4000, progress: (n) => (seen = n) }), []);
  assert.equal(seen, 16);
});

test("a signal ends a call: before it, under way, and between two tries", async () => {
  const { server, calls } = await serve((call, response) => (call.path === "/api/drops" ? undefined : lost(response)));
  const shop = createClient({ server });
  await assert.rejects(shop.listDrops({}, { signal: AbortSignal.abort() }), refusal("stopped"));
  const under = new AbortController();
  const reading = shop.listDrops({}, { signal: under.signal });
  await until(() => calls.length === 1);
  under.abort();
  await assert.rejects(reading, refusal("stopped", { unsure: true }));
  const between = new AbortController();
  const buying = shop.purchase({ reservationId: 1 }, { signal: between.signal });
  await until(() => calls.length === 2);
  setTimeout(() => between.abort(), 20);
  await assert.rejects(buying, refusal("stopped"));
  assert.equal(calls.length, 2);
});

test("a reserve that is early waits for the start", async () => {
  const starts = Date.now() + 400;
  const { server, calls } = await serve((call, response) => {
    const left = starts - Date.now();
    return left > 0 ? no(response, 409, "not_started", { starts_at: new Date(starts).toISOString(), starts_in_ms: left }) : ok(response, hold(1));
  });
  const shop = createClient({ server });
  assert.equal((await shop.reserve({ dropId: 1, userName: "a" })).id, 1);
  assert.equal(calls.length, 2);
});

test("a reserve long before the start is refused with its details", async () => {
  const { server } = await serve((_, response) => no(response, 409, "not_started", { starts_at: "2030-01-01T00:00:00.000Z", starts_in_ms: 5000 }));
  await assert.rejects(createClient({ server }).reserve({ dropId: 1 }), refusal("not_started", { starts_in_ms: 5000, message: "not_started" }));
});

test("a reserve never returns a hold that is over", async () => {
  const replayed = { "Idempotent-Replayed": "true" };
  const { server, calls } = await serve((call, response) => {
    if (call.path.includes("/reservations")) return ok(response, [{ ...hold(1), status: "expired" }, hold(2)]);
    return call.n === 0 ? ok(response, hold(1), replayed) : ok(response, hold(2));
  });
  assert.equal((await createClient({ server }).reserve({ dropId: 1, userName: "a" })).id, 2);
  const keys = calls.filter((c) => c.key).map((c) => c.key);
  assert.ok(keys.length === 2 && keys[0] !== keys[1]);
});

test("a reserve whose holds are all over says so", async () => {
  const { server } = await serve((call, response) => ok(response, call.method === "GET" ? [] : hold(1, -1)));
  await assert.rejects(createClient({ server }).reserve({ dropId: 1, userName: "a" }), refusal("answer_late", { status: 410, unsure: false }));
});

test("the clock is the server's, and no hold looks longer than it is", async (t) => {
  const { server } = await serve(() => {});
  const real = Date.now;
  t.after(() => (Date.now = real));
  Date.now = () => real() - 300_000; // this device is 5 minutes behind; the server uses new Date(), which asks the system
  const shop = createClient({ server });
  assert.ok(Math.abs(shop.now() - (real() - 300_000)) < 1000);
  const jumps = [];
  const end = shop.onJump((ms, slept) => jumps.push([Math.round(ms / 1000), slept]));
  await shop.measure();
  assert.ok(Math.abs(shop.now() - real()) < 1000);
  assert.deepEqual(jumps, [[300, false]]);
  const long = { createdAt: new Date(real() + 3_600_000).toISOString(), expires_at: new Date(real() + 3_660_000).toISOString() };
  assert.equal(shop.remaining(long), 60_000);
  assert.equal(shop.remaining({ createdAt: "2020-01-01T00:00:00Z", expires_at: "2020-01-01T00:01:00Z" }), 0);
  Date.now = () => real() + 3_600_000; // it slept for an hour and 5 minutes
  shop.now();
  await until(() => jumps.length >= 2);
  assert.deepEqual(jumps[1], [3900, true]);
  await until(() => Math.abs(shop.now() - real()) < 1000); // measured again
  end();
});

// stream answers a call for events, and gives what writes on it.
function stream(response) {
  response.writeHead(200, { "Content-Type": "text/event-stream" });
  response.flushHeaders();
  return (name, data) => response.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
}

const drop = (id, more) => ({ id, name: `Drop ${id}`, available_stock: 5, total_stock: 5, version: 1, purchases: [], ...more });

test("watch keeps the drops, and comes back by itself", async () => {
  let streams = 0;
  let write;
  let at;
  let all = [drop(1), drop(2, { sizes: [{ size: "½", total_stock: 5, available_stock: 5, waiting: 7 }] })];
  const { server } = await serve((call, response) => {
    if (call.path === "/api/drops/events") return void (streams++, (at = response), (write = stream(response)));
    if (call.path === "/api/drops/1") return ok(response, drop(1, { version: 9, purchases: [{ id: 1 }] }));
    return ok(response, all);
  });
  const shop = createClient({ server });
  const told = { drop: [], list: [], state: [], sync: 0, event: [] };
  const w = shop.watch({
    drop: (d) => told.drop.push(`${d.id}:${d.available_stock}`), list: (l, others) => told.list.push([l.length, others]),
    state: (s) => told.state.push(s), sync: () => told.sync++, event: (name) => told.event.push(name),
  });
  await until(() => w.up && told.list.length >= 2);
  write("stock_update", { dropId: 1, available_stock: 3, version: 3 });
  write("stock_update", { dropId: 1, available_stock: 4, version: 2 }); // older
  const [before, after] = [Buffer.from('event: stock_update\ndata: {"dropId":2,"available_stock":1,"version":4,"sizes":[{"size":"'), Buffer.from('½","total_stock":6,"available_stock":1}]}\n\n: still here\n\n')];
  at.write(before);
  at.write(after.subarray(0, 1)); // in the middle of a character
  await new Promise((done) => setTimeout(done, 30));
  at.write(after.subarray(1));
  await until(() => w.drops.get(2).available_stock === 1);
  assert.deepEqual(w.drops.get(2).sizes, [{ size: "½", total_stock: 6, available_stock: 1, waiting: 7 }]);
  assert.equal(w.drops.get(2).total_stock, 6);
  assert.equal(w.drops.get(1).available_stock, 3);
  write("purchase_complete", { dropId: 1 });
  await until(() => w.drops.get(1).version === 9);
  all = [drop(2, { version: 5 }), drop(3)];
  const syncs = told.sync;
  at.destroy();
  await until(() => streams === 2 && told.sync > syncs && w.drops.has(3));
  assert.ok(!w.drops.has(1));
  assert.deepEqual(told.list.at(-1), [2, true]);
  assert.ok(told.state.some((s) => !s.up) && w.up && !w.lost);
  const closed = new Promise((done) => at.on("close", done));
  w.stop();
  await closed;
  const events = told.event.length;
  await new Promise((done) => setTimeout(done, 500));
  assert.deepEqual([streams, told.event.length], [2, events]);
});

test("a connection that is gone for a while is called lost", async () => {
  const { server, stop } = await serve((call, response) => (call.path.includes("events") ? void stream(response) : ok(response, [])));
  const states = [];
  const w = createClient({ server }).watch({ state: ({ up, lost: gone }) => states.push(`${up} ${gone}`) });
  await until(() => w.up);
  stop();
  await until(() => w.lost);
  w.stop();
  assert.deepEqual([states[0], states.at(-1)], ["true false", "false true"]);
});

test("a refused token is told of, and watching goes on without it until there is another", async () => {
  const tokens = [];
  const { server } = await serve((call, response) => {
    if (!call.path.includes("events")) return ok(response, []);
    tokens.push(call.token);
    return call.token === "Bearer old" ? no(response, 401, "token_expired") : void stream(response);
  });
  let token = "old";
  const refusals = [];
  const w = createClient({ server, token: () => token }).watch({ refused: (r) => refusals.push(r) });
  await until(() => w.up);
  assert.deepEqual(tokens, ["Bearer old", undefined]);
  assert.equal(refusals.length, 1);
  assert.ok(refusals[0].needsSignIn && refusals[0].code === "token_expired");
  token = "new";
  w.reconnect();
  await until(() => tokens.at(-1) === "Bearer new" && w.up);
  w.stop();
});

test("one drop is watched alone, by the page's Socket.IO where there is one", async () => {
  const { server, calls } = await serve((call, response) => ok(response, drop(4)));
  const handlers = {};
  let made;
  const socket = {
    connected: true, active: true,
    onAny: (f) => (handlers.any = f),
    on: (event, f) => (handlers[event] = f),
    disconnect: () => (handlers.disconnect(), socket),
    connect: () => (handlers.connect(), socket),
  };
  const shop = createClient({ server, token: "t", io: (uri, options) => ((made = { uri, ...options }), socket) });
  const reservations = [];
  const w = shop.watch({ reservation: (r) => reservations.push(r) }, { drop: 4 });
  await until(() => made);
  assert.equal(made.uri, server);
  assert.deepEqual(made.query, { drop: 4 });
  assert.deepEqual(await new Promise((use) => made.auth(use)), { token: "t" });
  handlers.connect();
  assert.ok(w.up);
  handlers.any("reservation_update", { id: 1 });
  assert.deepEqual(reservations, [{ id: 1 }]);
  handlers.connect_error(Object.assign(new Error("no"), { data: { code: "invalid_token" } }));
  assert.deepEqual(await new Promise((use) => made.auth(use)), {});
  w.reconnect();
  assert.deepEqual(await new Promise((use) => made.auth(use)), { token: "t" });
  assert.ok(calls.every((c) => c.path === "/api/drops/4"));
  w.stop();
});

test("a watch that is stopped asks for Socket.IO's client no more", async () => {
  const { server } = await serve((_, response) => ok(response, []));
  let asked = 0;
  let fail;
  const loadIO = () => (asked++, new Promise((_, no) => (fail = no)));
  const w = createClient({ server, loadIO }).watch({});
  await until(() => asked === 1);
  w.stop();
  fail(new Error("it did not come"));
  await new Promise((done) => setTimeout(done, 3500)); // it would be asked for again after 3 s
  assert.equal(asked, 1);
});

test("keys are random", () => {
  assert.equal(new Set(Array.from({ length: 1000 }, newKey)).size, 1000);
});
