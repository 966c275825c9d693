// Runs a draw again from its public record, as docs/DRAW.md describes it. It shares nothing with the server's own
// program, so that one mistake cannot hide in both. It does not check the beacon's signature.
const version = "sneakerdrop draw 1";
const most = { bytes: 64 * 1024 * 1024, receipt: 64 * 1024, entries: 200_000, sizes: 100, label: 32, name: 200, reason: 200, url: 2048, units: 10_000_000 };

// Problem is what is wrong, as the key of a message with its values.
export class Problem extends Error {
  constructor(key, values = {}) {
    super(key);
    this.key = key;
    this.values = values;
  }
}

function must(holds, key, values) {
  if (!holds) throw new Problem(key, values);
}

const field = (holds, name) => must(holds, "verify.bad_field", { field: name });

// The networks of drand whose rounds count, with the time of round 1 and the time between rounds in milliseconds.
const networks = {
  "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971": {
    key: "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d1064510d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a",
    scheme: "bls-unchained-g1-rfc9380", genesis: 1692803367_000, period: 3_000, signature: 48, chained: false,
  },
  "8990e7a9aaed2ffed73dbd7092123d6f289930540d7651336225dc172e51b2ce": {
    key: "868f005eb8e6e4ca0a47c8a77ceaa5309a47978a7c71bc5cce96366b5d7a569937c529eeda66c7293784a9402801af31",
    scheme: "pedersen-bls-chained", genesis: 1595431050_000, period: 30_000, signature: 96, chained: true,
  },
};

// Bytes.

const encoder = new TextEncoder();
const bytesOf = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const hexOf = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");

function joined(parts) {
  const all = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function int32(n) {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, n);
  return bytes;
}

function int64(n) {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(n));
  return bytes;
}

// sized has its length in front, so that no two lists of texts make the same bytes.
const sized = (bytes) => joined([int32(bytes.length), bytes]);
const text = (s) => sized(encoder.encode(s));
const tag = (purpose) => text(`${version} ${purpose}`);

const digest = async (parts) => new Uint8Array(await crypto.subtle.digest("SHA-256", joined(parts)));
const sha256 = (...parts) => digest(parts);

// all is Promise.all over a list that may be long, a part at a time.
async function all(list, make) {
  const made = [];
  for (let i = 0; i < list.length; i += 2000) {
    made.push(...(await Promise.all(list.slice(i, i + 2000).map((item, j) => make(item, i + j)))));
  }
  return made;
}

// The form of a file. There is one way to write each record: JSON without blanks, fields in this order, a line feed.

const isWhole = (n, from, to) => Number.isSafeInteger(n) && n >= from && n <= to;
const isText = (s, from, to) => typeof s === "string" && !/\p{Surrogate}/u.test(s) && [...s].length >= from && [...s].length <= to;
const isHex = (s, length) => typeof s === "string" && /^([0-9a-f]{2})*$/.test(s) && (length === undefined || s.length === 2 * length);
const isObject = (o) => typeof o === "object" && o !== null && !Array.isArray(o);
const isTime = (s) => typeof s === "string" && s.length === 24 && Date.parse(s) >= 0 && new Date(Date.parse(s)).toISOString() === s;
const most64 = Number.MAX_SAFE_INTEGER;

function parse(bytes, largest, format) {
  must(bytes.length <= largest, "verify.too_large");
  let read, value;
  try {
    read = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    value = JSON.parse(read);
  } catch {
    throw new Problem("verify.no_json");
  }
  must(isObject(value), "verify.no_json");
  const written = `${JSON.stringify(format(value))}\n`;
  if (written === read) return value;
  let same = 0;
  while (same < written.length && written[same] === read[same]) same++;
  throw new Problem("verify.bad_form", { place: same + 1 });
}

function recordFormat(r) {
  field(isObject(r.drop), "drop");
  field(r.beacon === null || isObject(r.beacon), "beacon");
  for (const name of ["stock", "winners", "runners_up", "entries"]) field(Array.isArray(r[name]), name);
  for (const name of ["opens", "closes"]) field(isTime(r[name]), name);
  for (const name of ["commitment", "root", "seal", "seed"]) field(isHex(r[name], 32), name);
  field(r.version === version, "version");
  field(isWhole(r.drop.id, 1, most64), "drop.id");
  field(isText(r.drop.name, 1, most.name), "drop.name");
  field(isWhole(r.count, 0, most64), "count");
  return {
    version: r.version, drop: { id: r.drop.id, name: r.drop.name }, opens: r.opens, closes: r.closes,
    stock: r.stock.map(stockFormat), commitment: r.commitment, beacon: r.beacon && beaconFormat(r.beacon), count: r.count, root: r.root,
    seal: r.seal, seed: r.seed, winners: r.winners.map(winnerFormat),
    runners_up: r.runners_up.map((id, i) => (field(isWhole(id, 0, most64), `runners_up[${i}]`), id)),
    entries: r.entries.map(entryFormat),
  };
}

function stockFormat(s, i) {
  field(isObject(s) && isText(s.size, 0, most.label) && isWhole(s.units, 0, most.units), `stock[${i}]`);
  return { size: s.size, units: s.units };
}

function winnerFormat(w, i) {
  field(isObject(w) && isWhole(w.entry, 0, most64) && isWhole(w.size, 0, most64), `winners[${i}]`);
  return { entry: w.entry, size: w.size };
}

function beaconFormat(b) {
  field(isText(b.url, 1, most.url), "beacon.url");
  field(isHex(b.chain_hash, 32), "beacon.chain_hash");
  field(isHex(b.public_key), "beacon.public_key");
  field(typeof b.scheme === "string", "beacon.scheme");
  field(isWhole(b.round, 1, most64), "beacon.round");
  field(isHex(b.randomness, 32), "beacon.randomness");
  field(isHex(b.signature), "beacon.signature");
  field(b.previous_signature === undefined || isHex(b.previous_signature), "beacon.previous_signature");
  return {
    url: b.url, chain_hash: b.chain_hash, public_key: b.public_key, scheme: b.scheme, round: b.round, randomness: b.randomness,
    signature: b.signature, previous_signature: b.previous_signature || undefined,
  };
}

function entryFormat(e, i) {
  const name = `entries[${i}]`;
  field(isObject(e) && isWhole(e.id, 0, most64), `${name}.id`);
  field(isHex(e.hash, 32), `${name}.hash`);
  field(Array.isArray(e.sizes) && e.sizes.every((size) => isWhole(size, 0, most64)), `${name}.sizes`);
  field(e.withdrawn === undefined || e.withdrawn === true, `${name}.withdrawn`);
  field(e.removed === undefined || isText(e.removed, 1, most.reason), `${name}.removed`);
  return { id: e.id, hash: e.hash, sizes: e.sizes, withdrawn: e.withdrawn, removed: e.removed };
}

// The rules that hold within a record.

function checkRules(r) {
  field(Date.parse(r.opens) < Date.parse(r.closes), "opens");
  field(r.stock.length >= 1 && r.stock.length <= most.sizes, "stock");
  field(new Set(r.stock.map((s) => s.size)).size === r.stock.length, "stock");
  field(r.stock.reduce((sum, s) => sum + s.units, 0) <= most.units, "stock");
  if (r.beacon) checkBeacon(r.beacon, Date.parse(r.closes));
  field(r.entries.length <= most.entries, "entries");
  r.entries.forEach((e, i) => {
    const name = `entries[${i}]`;
    must(e.id === i + 1, "verify.gap", { entry: i + 1, has: e.id });
    field(e.sizes.length > 0 && e.sizes.every((size) => size < r.stock.length) && new Set(e.sizes).size === e.sizes.length, `${name}.sizes`);
    field(!(e.withdrawn && e.removed), `${name}.withdrawn`);
  });
  must(r.count === r.entries.length, "verify.count", { has: r.count, want: r.entries.length });
}

function checkBeacon(b, closes) {
  field(Object.prototype.hasOwnProperty.call(networks, b.chain_hash), "beacon.chain_hash");
  const network = networks[b.chain_hash];
  field(b.public_key === network.key, "beacon.public_key");
  field(b.scheme === network.scheme, "beacon.scheme");
  must((b.round - 1) * network.period + network.genesis > closes, "verify.early_round", { round: b.round });
}

// The draw.

const leafTag = joined([Uint8Array.of(0), tag("entry")]);
const leafOf = (drop, id, hash, labels) => sha256(leafTag, int64(drop), int64(id), hash, int32(labels.length), ...labels);

// rootOf joins neighbors level by level; a node without a neighbor moves up unchanged.
async function rootOf(leaves) {
  if (leaves.length === 0) return sha256();
  let level = leaves;
  while (level.length > 1) {
    const pairs = [];
    for (let i = 0; i < level.length; i += 2) pairs.push(level.slice(i, i + 2));
    level = await all(pairs, ([left, right]) => (right ? sha256(Uint8Array.of(1), left, right) : left));
  }
  return level[0];
}

function sealOf(r, root) {
  const b = r.beacon;
  const withdrawn = r.entries.filter((e) => e.withdrawn);
  const removed = r.entries.filter((e) => e.removed);
  return digest([
    tag("seal"), int64(r.drop.id), text(r.drop.name), int64(Date.parse(r.opens)), int64(Date.parse(r.closes)), bytesOf(r.commitment),
    int32(r.stock.length), ...r.stock.flatMap((s) => [text(s.size), int64(s.units)]),
    ...(b ? [Uint8Array.of(1), text(b.url), bytesOf(b.chain_hash), sized(bytesOf(b.public_key)), text(b.scheme), int64(b.round)] : [Uint8Array.of(0)]),
    int64(r.count), root,
    int64(withdrawn.length), ...withdrawn.map((e) => int64(e.id)),
    int64(removed.length), ...removed.flatMap((e) => [int64(e.id), text(e.removed)]),
  ]);
}

async function checkHashes(r) {
  const texts = r.stock.map((s) => text(s.size));
  const labels = (e) => e.sizes.map((size) => texts[size]);
  const root = await rootOf(await all(r.entries, (e) => leafOf(r.drop.id, e.id, bytesOf(e.hash), labels(e))));
  must(r.root === hexOf(root), "verify.root");
  must(r.commitment === hexOf(await sha256(tag("seed"), bytesOf(r.seed))), "verify.seed");
  must(r.seal === hexOf(await sealOf(r, root)), "verify.seal");
  if (!r.beacon) return;
  must(r.beacon.randomness === hexOf(await sha256(bytesOf(r.beacon.signature))), "verify.randomness");
  const network = networks[r.beacon.chain_hash];
  field(isHex(r.beacon.signature, network.signature), "beacon.signature");
  field(network.chained === Boolean(r.beacon.previous_signature), "beacon.previous_signature");
}

// drawn is the result: the entries in the order of their scores, each with the size that it won, if any.
async function drawn(r) {
  const bytes = joined([bytesOf(r.seed), bytesOf(r.beacon ? r.beacon.randomness : "")]);
  const key = await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const taking = r.entries.filter((e) => !e.withdrawn && !e.removed);
  const scored = await all(taking, async (e) => ({ e, score: hexOf(new Uint8Array(await crypto.subtle.sign("HMAC", key, int64(e.id)))) }));
  scored.sort((a, b) => (a.score < b.score ? -1 : a.score > b.score ? 1 : a.e.id - b.e.id));
  const left = r.stock.map((s) => s.units);
  const winners = [];
  const waiting = [];
  for (const { e } of scored) {
    const size = e.sizes.find((wanted) => left[wanted] > 0);
    if (size === undefined) {
      waiting.push(e.id);
    } else {
      left[size]--;
      winners.push({ entry: e.id, size });
    }
  }
  return { winners, waiting };
}

function compare(r, { winners, waiting }) {
  r.winners.slice(0, winners.length).forEach((w, i) => {
    must(w.entry === winners[i].entry, "verify.winner", { place: i + 1, has: w.entry, want: winners[i].entry });
  });
  must(r.winners.length === winners.length, "verify.winners", { has: r.winners.length, want: winners.length });
  r.winners.forEach((w, i) => must(w.size === winners[i].size, "verify.winner_size", { place: i + 1, size: r.stock[winners[i].size].size }));
  r.runners_up.slice(0, waiting.length).forEach((id, i) => {
    must(id === waiting[i], "verify.runner_up", { place: i + 1, has: id, want: waiting[i] });
  });
  must(r.runners_up.length === waiting.length, "verify.runners_up", { has: r.runners_up.length, want: waiting.length });
}

// verify returns the record in these bytes. It throws a Problem that names the first thing that is wrong.
export async function verify(bytes) {
  must(globalThis.crypto?.subtle, "verify.no_crypto");
  const r = parse(bytes, most.bytes, recordFormat);
  checkRules(r);
  await checkHashes(r);
  compare(r, await drawn(r));
  return r;
}

function receiptFormat(r) {
  field(r.version === version, "version");
  for (const name of ["drop", "entry", "buyer"]) field(isWhole(r[name], 1, most64), name);
  field(isHex(r.salt, 16), "salt");
  field(Array.isArray(r.sizes) && r.sizes.every((label) => isText(label, 0, most.label)), "sizes");
  return { version: r.version, drop: r.drop, entry: r.entry, buyer: r.buyer, salt: r.salt, sizes: r.sizes };
}

// find says where the entry of a buyer's receipt came in a verified record: {entry, won, size, place, withdrawn,
// removed}. It throws a Problem if the receipt is not of an entry in it.
export async function find(r, bytes) {
  const receipt = parse(bytes, most.receipt, receiptFormat);
  must(receipt.drop === r.drop.id, "verify.other_drop", { has: receipt.drop, want: r.drop.id });
  const e = r.entries[receipt.entry - 1];
  must(e, "verify.no_entry", { entry: receipt.entry });
  must(e.hash === hexOf(await sha256(tag("buyer"), bytesOf(receipt.salt), int64(receipt.buyer))), "verify.other_buyer", { entry: e.id });
  const labels = e.sizes.map((size) => r.stock[size].size);
  must(labels.length === receipt.sizes.length && labels.every((label, i) => label === receipt.sizes[i]), "verify.other_sizes", { entry: e.id });
  const won = r.winners.find((w) => w.entry === e.id);
  return {
    entry: e.id, won: Boolean(won), size: won ? r.stock[won.size].size : "", place: r.runners_up.indexOf(e.id) + 1,
    withdrawn: Boolean(e.withdrawn), removed: e.removed ?? "",
  };
}
