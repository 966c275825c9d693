"use strict";
// Socket.IO's own server with its defaults. It prints "listening PORT", then does what each line on stdin says and
// answers with one line of JSON; bench/sockets/serve.go is the same for ours.

const http = require("node:http");
const readline = require("node:readline");
const { Server } = require("socket.io");

const web = http.createServer();
const io = new Server(web);
let version = 0;

io.on("connection", () => {});

function update(drop) {
  version++;
  return {
    dropId: drop,
    available_stock: version % 1000,
    reason: "reserved",
    version,
    at: Number(process.hrtime.bigint() / 1000n), // µs of the machine's monotonic clock, which the client reads too
  };
}

// broadcast sends one update of each drop, count times, one every period ms. After a delay it catches up by at most
// 16 at a time, so that reading from the sockets has its turn.
function broadcast(count, period, drops) {
  return new Promise((done) => {
    const start = performance.now();
    let sent = 0;
    const tick = () => {
      const due = Math.min(count, Math.floor((performance.now() - start) / period) + 1, sent + 16);
      for (; sent < due; sent++) {
        for (let drop = 1; drop <= drops; drop++) io.emit("stock_update", update(drop));
      }
      if (sent === count) return done();
      setTimeout(tick, Math.max(0, start + sent * period - performance.now()));
    };
    tick();
  });
}

const commands = {
  broadcast: (count, period, drops) => broadcast(+count, +period, +drops),
  collect: () => global.gc(),
  connections: () => io.engine.clientsCount,
};

web.listen(0, "127.0.0.1", () => console.log(`listening ${web.address().port}`));
const lines = readline.createInterface({ input: process.stdin });
lines.on("line", async (line) => {
  const [command, ...args] = line.split(" ");
  console.log(JSON.stringify((await commands[command](...args)) ?? null));
});
lines.on("close", () => process.exit(0));
