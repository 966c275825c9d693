// The texts of the page in its language. The server writes them into the page as a block of JSON: a key has a
// sentence, or one sentence for each plural form of its number {n}.
import { numbers } from "./locale.js";
import { isolated } from "./typed.js";

const messages = JSON.parse(document.getElementById("messages").textContent);

export const language = document.documentElement.lang;

const whole = numbers();
const forms = pluralsOf(language);

function pluralsOf(tag) {
  try {
    return new Intl.PluralRules(tag);
  } catch {
    return { select: (n) => (n === 1 ? "one" : "other") }; // a shop may name its language as it likes
  }
}

const has = (key) => Object.prototype.hasOwnProperty.call(messages, key);

export const knows = has;

function sentenceOf(key, values) {
  if (!has(key)) return key;
  const message = messages[key];
  return typeof message === "string" ? message : message[forms.select(values.n)] ?? message.other;
}

const written = (value) => (typeof value === "number" ? whole(value) : isolated(String(value)));

// learn takes the texts that another copy of the page has: those of draws come with the first draw that there is.
export function learn(page) {
  const [, block] = /<script type="application\/json" id="messages">([^<]*)</.exec(page) ?? [];
  if (block) Object.assign(messages, JSON.parse(block));
}

// t is the text of a key, with each {name} replaced by its value. Numbers are written as the reader writes them.
// Texts are isolated, so that a name in Hebrew does not turn the sentence around it.
export function t(key, values = {}) {
  return sentenceOf(key, values).replace(/\{(\w+)\}/g, (hole, name) => (name in values ? written(values[name]) : hole));
}

// rich is t with elements in place of some values: the list of the sentence's parts, in the translator's order.
export function rich(key, elements, values = {}) {
  return sentenceOf(key, values)
    .split(/(\{\w+\})/)
    .filter((part) => part !== "")
    .map((part) => {
      const name = part.startsWith("{") ? part.slice(1, -1) : "";
      if (name in elements) return elements[name];
      return name in values ? written(values[name]) : part;
    });
}
