// Receives webhooks on a free port of 127.0.0.1 and verifies them with the package standardwebhooks: the tests'
// second implementation of the specification. The arguments are the secrets to accept.
//
// It prints "listening PORT", and then one line of JSON for each message: {id, type, dropId, seq, ok, error}. It
// answers 204 to a message that it can verify, otherwise 400. Lines on its standard input change what it does, and it
// answers "done" to each of them:
//
//   secret WHSEC…    accept these secrets only, one or several
//   status N         answer N from now on, whatever comes; 0: as at the start
//   delay MS         wait before each answer
//
// It ends with its standard input, or with status 1 at a line that it does not know.
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import { Webhook } from "standardwebhooks";

const largest = 64 * 1024;
let hooks = process.argv.slice(2).map((secret) => new Webhook(secret));
let status = 0;
let delay = 0;

const server = createServer(async (request, response) => {
  const message = await receive(request);
  console.log(JSON.stringify(message));
  await wait(delay);
  response.writeHead(status || (message.ok ? 204 : 400)).end();
});

// receive reads a request and says what it is, and what is wrong with it.
async function receive(request) {
  const message = { id: request.headers["webhook-id"] ?? "", type: "", dropId: 0, seq: 0, ok: false, error: "" };
  try {
    if (request.method !== "POST") throw new Error(`${request.method} is not POST`);
    const body = await read(request);
    const event = verify(body, request.headers);
    const { type, dropId, seq } = event;
    Object.assign(message, { type, dropId: dropId ?? 0, seq: seq ?? 0, ok: true });
  } catch (error) {
    message.error = String(error.message || error.name);
  }
  return message;
}

async function read(request) {
  const parts = [];
  let size = 0;
  for await (const part of request) {
    size += part.length;
    if (size <= largest) parts.push(part); // the rest is read, so that the sender can read the answer
  }
  if (size > largest) throw new Error(`a body of ${size} bytes, at most ${largest}`);
  return Buffer.concat(parts).toString();
}

// verify returns the event, if one of the secrets signed it.
function verify(body, headers) {
  let refused = new Error("no secret is known");
  for (const hook of hooks) {
    try {
      return hook.verify(body, headers);
    } catch (error) {
      refused = error;
    }
  }
  throw refused;
}

// obey does what a line of the standard input says.
function obey(line) {
  const [verb, ...values] = line.trim().split(/\s+/);
  const n = Number(values[0]);
  if (verb === "secret" && values.length > 0) hooks = values.map((secret) => new Webhook(secret));
  else if (verb === "status" && (n === 0 || (Number.isInteger(n) && n >= 200 && n <= 599))) status = n;
  else if (verb === "delay" && n >= 0 && n <= 3_600_000) delay = n;
  else throw new Error(`unknown line ${JSON.stringify(line)}: say secret WHSEC…, status 200 to 599 or 0, or delay MS`);
}

server.listen(0, "127.0.0.1", () => console.log(`listening ${server.address().port}`));
createInterface({ input: process.stdin })
  .on("line", (line) => {
    try {
      obey(line);
      console.log("done");
    } catch (error) {
      console.error(`receive.mjs: ${error.message}`);
      process.exit(1);
    }
  })
  .on("close", () => process.exit(0));
