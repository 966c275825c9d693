// What a test runs in a page: clients that keep all they are told.
const clients = {};

// load fetches the bundle that the server serves, as a shop's page does.
function load(server) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = server + "/socket.io/socket.io.js";
    script.onload = () => resolve(typeof io);
    script.onerror = () => reject(new Error("no client at " + script.src));
    document.head.append(script);
  });
}

function connect(name, server, options) {
  const socket = io(server, { forceNew: true, reconnectionDelay: 50, reconnectionDelayMax: 100, ...options });
  const c = { events: [], connects: 0, ended: [], refused: [], transports: [] };
  clients[name] = { ...c, socket, seen: () => c };
  socket.io.on("open", () => {
    const engine = socket.io.engine;
    c.transports.push(engine.transport.name);
    engine.on("upgrade", (transport) => c.transports.push(transport.name));
  });
  socket.on("connect", () => c.connects++);
  socket.on("disconnect", (reason) => c.ended.push(reason));
  socket.on("connect_error", (err) => c.refused.push(err.message));
  socket.onAny((...event) => {
    c.at = Date.now();
    c.events.push(JSON.stringify(event));
  });
}

function follow(name, url) {
  const source = new EventSource(url);
  const c = { events: [], connects: 0, ended: [], refused: [], transports: [] };
  clients[name] = { seen: () => c };
  source.onopen = () => c.connects++;
  source.onerror = () => c.ended.push(source.readyState === EventSource.CLOSED ? "for good" : "for now");
  for (const event of ["stock_update", "drop_update", "purchase_complete", "message"]) {
    source.addEventListener(event, (m) => c.events.push(JSON.stringify([event, JSON.parse(m.data)])));
  }
}

function seen(name) {
  return clients[name].seen();
}

// emit resolves to the server's answer.
function emit(name, ...args) {
  return clients[name].socket.timeout(10000).emitWithAck(...args);
}

// post resolves to the status of the answer.
async function post(url, body) {
  const init = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  return (await fetch(url, init)).status;
}

// countWith makes clients that check that the numbers of the event "n" are contiguous. Some upgrade at a time: Chromium
// makes a page wait for seconds that has more than a dozen WebSockets pending.
const counters = [];

async function countWith(howMany, atOnce, server) {
  const some = async () => {
    for (let i = 0; i < howMany / atOnce; i++) await count(server);
  };
  await Promise.all(Array.from({ length: atOnce }, some));
  return counters.length;
}

// setPace answers whenever the server asks whether the page has read all so far.
function setPace(server) {
  const socket = io(server, { forceNew: true, transports: ["websocket"], auth: { pace: true } });
  socket.on("told", (answer) => answer());
  return new Promise((resolve) => socket.on("connect", () => resolve(socket.connected)));
}

function count(server) {
  const c = { first: 0, last: 0, polled: 0, pushed: 0, wrong: [], ended: [] };
  counters.push(c);
  const socket = io(server, { forceNew: true });
  let upgraded = false;
  socket.on("disconnect", (reason) => c.ended.push(reason));
  socket.on("n", (n) => {
    if (c.last === 0) c.first = n;
    else if (n !== c.last + 1 && c.wrong.length < 5) c.wrong.push(`${n} after ${c.last}`);
    c.last = n;
    upgraded ? c.pushed++ : c.polled++;
  });
  return new Promise((resolve) => {
    socket.io.on("open", () =>
      socket.io.engine.on("upgrade", () => {
        upgraded = true;
        resolve();
      }),
    );
  });
}

// comeAndGo connects and disconnects clients, some at a time: each goes as soon as it was told something, or once it has
// upgraded. Few may poll at a time: a browser has six connections to a server, and polls would take all of them, so that
// no client could say that it goes.
async function comeAndGo(howMany, atOnce, server, options, onceUpgraded) {
  let done = 0;
  const one = () =>
    new Promise((resolve, reject) => {
      const socket = io(server, { forceNew: true, reconnection: false, ...options });
      socket.on("connect_error", reject);
      let [told, upgraded] = [false, !onceUpgraded];
      const go = () => told && upgraded && socket.disconnect();
      socket.onAny(() => {
        told = true;
        go();
      });
      socket.io.on("open", () =>
        socket.io.engine.on("upgrade", () => {
          upgraded = true;
          setTimeout(go); // the client is not done with its upgrade before
        }),
      );
      socket.on("disconnect", (reason) => {
        done++;
        resolve(reason);
      });
    });
  const some = async () => {
    for (let i = 0; i < howMany / atOnce; i++) await one();
  };
  await Promise.all(Array.from({ length: atOnce }, some));
  return done;
}
