// What the shop may ask for, checked while it is typed; the server has the last word. Each check returns the value,
// or throws the sentence that says what is wrong.

import { currency, decimals } from "../shared/config.js";
import { whole } from "../shared/format.js";
import { imageOf } from "../shared/image.js";

class Wrong extends Error {}

export const wrong = (sentence) => {
  throw new Wrong(sentence);
};

export function name(text) {
  const s = text.trim();
  if (s === "") wrong("Give it a name.");
  if ([...s].length > 200) wrong("At most 200 characters.");
  return s;
}

// A price has as many decimals as the currency has. A comma is a point, except for currencies of three decimals, where
// 12,000 may be meant either way.
export function price(text) {
  const s = decimals < 3 ? text.trim().replace(",", ".") : text.trim();
  if (!new RegExp(decimals === 0 ? "^\\d{1,8}$" : `^\\d{1,8}(\\.\\d{1,${decimals}})?$`).test(s) || Number(s) > 99_999_999.99) wrong(priceRule);
  return Number(s);
}

const priceRule = decimals === 0
  ? `A whole number such as 12000, at most 99,999,999: ${currency} has no decimals.`
  : `A price such as ${Number(129.95).toFixed(decimals)}, at most 99,999,999.99.`;

export function count(text, most, empty, least = 0) {
  const s = text.trim();
  if (s === "" && empty !== undefined) return empty;
  if (!/^\d+$/.test(s) || Number(s) > most || Number(s) < least) wrong(`A whole number from ${whole(least)} to ${whole(most)}.`);
  return Number(s);
}

export function image(text) {
  const s = text.trim();
  if (s === "") return null;
  if (s.length > 2048) wrong("At most 2,048 characters.");
  if (imageOf(s)) return s;
  return wrong("An address that starts with https://, or a path that starts with /.");
}

// sizes reads lines such as "9.5 12": a size, and how many of it. No line: the drop has no sizes.
export function sizes(text) {
  const found = new Map();
  for (const line of text.split("\n").map((l) => l.trim()).filter(Boolean)) {
    const [, size, stock] = /^(.+?)[\s:=×x]+(\d+)$/.exec(line) || wrong(`“${line}” must be a size and how many, such as 9.5 12.`);
    if ([...size].length > 32) wrong(`“${size}” is longer than 32 characters.`);
    if (found.has(size)) wrong(`Size ${size} is there twice.`);
    if (Number(stock) > 10_000_000) wrong(`Too many of size ${size}.`);
    found.set(size, Number(stock));
  }
  if (found.size > 100) wrong("At most 100 sizes.");
  return [...found].map(([size, stock]) => ({ size, stock }));
}

// tried is {value} or {problem}.
export function tried(check, text) {
  try {
    return { value: check(text) };
  } catch (e) {
    if (e instanceof Wrong) return { problem: e.message };
    throw e;
  }
}
