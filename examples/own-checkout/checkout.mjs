// A shop's own checkout, as docs/howto/own-checkout.md describes it. It keeps payments in memory, and no money moves:
// look for "here:" to see what a real one does. It takes one or two secrets, separated by a space:
//
//     CHECKOUT_SECRET=whsec_… NOTIFY_URL=http://localhost:3000/… node examples/own-checkout/checkout.mjs
import { createServer } from "node:http";
import { list, obey, pay, visit } from "./payments.mjs";
import { linkIsGood, messageIsGood, signedHeaders } from "./signatures.mjs";

const notifyURL = process.env.NOTIFY_URL;

/** @typedef {{ status: number, type?: string, location?: string, body: string }} Answer */

/** @param {number} status @param {unknown} body @returns {Answer} */
const json = (status, body) => ({ status, type: "application/json", body: JSON.stringify(body) });

/** @param {import("node:http").IncomingMessage} request */
async function bodyOf(request) {
  let body = "";
  for await (const part of request.setEncoding("utf8")) {
    body += part;
    if (body.length > 65536) throw new Error("The body is too long.");
  }
  return body;
}

/** api answers the server's calls. @param {import("node:http").IncomingMessage} request @returns {Promise<Answer>} */
async function api(request) {
  const body = await bodyOf(request);
  if (!messageIsGood(request.headers, body)) return json(401, { code: "signature", reason: "The signature is false or old." });
  const call = JSON.parse(body);
  const answer = call.action === "since" ? list(call.from, call.after) : obey(call);
  return "code" in answer ? json(answer.code === "unknown_payment" ? 404 : 409, answer) : json(200, answer);
}

/** checkout is the page where the buyer pays. @param {import("node:http").IncomingMessage} request @param {URLSearchParams} link */
async function checkout(request, link) {
  if (!linkIsGood(link)) return page(403, "This link has ended. Go back to the shop.");
  visit(link);
  const [payment = "", back = ""] = [link.get("payment"), link.get("return_url")].map(String);
  if (request.method === "GET") {
    const amount = `${link.get("amount")} ${link.get("currency")}`;
    return page(200, `Pay ${amount} for ${link.get("description")}`, "Pay", "Pay with a bad card", "Cancel");
  }
  const button = new URLSearchParams(await bodyOf(request)).get("button");
  if (button === "Cancel") return { status: 303, location: back, body: "" };
  const state = pay(link, button === "Pay"); // here: your payment company
  if (state === undefined) return page(409, "Nobody can pay here any more. You owe nothing for this.");
  if (state === "open") return page(422, "The bank declined this card.", "Pay", "Cancel");
  notify(payment, state);
  return { status: 303, location: back, body: "" };
}

const head = `<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><title>Checkout</title>`;

/** @param {number} status @param {string} title @param {string[]} buttons @returns {Answer} */
function page(status, title, ...buttons) {
  const text = title.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
  const form = buttons.map((b) => `<button name="button" value="${b}">${b}</button>`).join(" ");
  return { status, type: "text/html; charset=utf-8", body: `${head}<h1>${text}</h1><form method="post">${form}</form>` };
}

/**
 * notify tells the server that a payment has changed. It asks what became of it, so a false alarm does no harm.
 * @param {string} payment @param {string} state
 */
async function notify(payment, state) {
  if (!notifyURL) return;
  const body = JSON.stringify({ payment, state });
  const headers = signedHeaders(body); // the same for each attempt
  for (let wait = 1000; wait < 60_000; wait *= 2) { // here: a queue that outlives this process
    const answer = await fetch(notifyURL, { method: "POST", headers, body }).catch(() => undefined);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
  console.error(`The server did not take the notification about payment ${payment}.`);
}

const server = createServer(async (request, response) => {
  const url = new URL(request.url ?? "/", "http://localhost");
  /** @type {Answer} */
  let answer;
  try {
    answer = await (url.pathname === "/api" ? api(request) : checkout(request, url.searchParams));
  } catch (error) {
    console.error(error);
    answer = { status: 500, body: "" };
  }
  response.writeHead(answer.status, {
    "Content-Type": answer.type ?? "text/plain",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    ...(answer.location === undefined ? {} : { Location: answer.location }),
  });
  response.end(answer.body);
});
server.listen(Number(process.env.PORT ?? 8091), "127.0.0.1", () => {
  const address = server.address();
  if (address && typeof address === "object") console.log(`listening ${address.port}`);
});
