// The language of dates and numbers: the browser's first that matches the page's. So an English page formats them as
// its reader in London or in Delhi expects. If none matches, they are in the page's language. A browser may report
// nonsense (C, en_US, en-US@posix, nothing at all), and Intl throws on much of it.

const wanted = () => {
  const languages = navigator.languages;
  return [...(Array.isArray(languages) ? languages : []), navigator.language];
};

// tagOf makes a language tag of what systems call a locale: en_US.UTF-8 and en-US@posix are en-US.
const tagOf = (name) => String(name).trim().split(/[.@]/)[0].replace(/_/g, "-");

// supported reports whether Intl writes that language. Some tags are refused by an exception, others silently taken
// for the default.
function supported(tag) {
  try {
    return Intl.DateTimeFormat.supportedLocalesOf([tag]).length + Intl.NumberFormat.supportedLocalesOf([tag]).length === 2;
  } catch {
    return false;
  }
}

// chosen is undefined, the browser's default, where no language that is asked for is supported.
export function chosen(names) {
  return names.filter((name) => typeof name === "string").map(tagOf).find((tag) => tag !== "" && supported(tag));
}

const page = document.documentElement.lang;
const baseOf = (tag) => tag.split("-")[0].toLowerCase();
const fitting = chosen(wanted().filter((name) => typeof name === "string" && baseOf(tagOf(name)) === baseOf(page)));

// The server's cookie says that the reader chose the page's language, whatever the browser's is.
const picked = () => {
  try {
    return document.cookie.includes("sneakerdrop-language=");
  } catch {
    return false;
  }
};

export const language = fitting ?? chosen(picked() ? [page] : wanted());

// wording is the language of what Intl says in words: that of the page's texts, around which they stand.
const wording = fitting ?? page;

// format returns a function that writes values by one of Intl's kinds of format. Where these refuse the language or
// an option, it tries the default and English without it; plain is the last resort and cannot fail.
function format(Kind, options, plain, tags = [language, undefined, "en"], sample = [0]) {
  for (const [tag, rest] of [...tags.map((tag) => [tag, options]), ["en", {}]]) {
    try {
      const made = new Kind(tag, rest);
      made.format(...sample);
      return (...values) => {
        try {
          return made.format(...values);
        } catch {
          return plain(...values); // not a date, for example
        }
      };
    } catch {
      // is tried with less
    }
  }
  return plain;
}

export const dates = (options) => format(Intl.DateTimeFormat, options, (ms) => {
  const at = new Date(ms);
  return Number.isNaN(at.getTime()) ? "–" : at.toISOString().slice(0, 16).replace("T", " ") + " UTC";
});

export const numbers = (options = {}) => format(Intl.NumberFormat, options, String);

// lengths writes a number of units of time: 3 minutes.
export const lengths = (unit) =>
  format(Intl.NumberFormat, { style: "unit", unit, unitDisplay: "long" }, (n) => `${n} ${unit}${n === 1 ? "" : "s"}`, [wording, "en"]);

// ages formats how long ago something was: 3 minutes ago. The number is negative.
export const ages = () =>
  format(Intl.RelativeTimeFormat, {}, (n, unit) => `${-n} ${unit}${n === -1 ? "" : "s"} ago`, [wording, "en"], [-1, "day"]);

// prices formats amounts with the currency's decimals from ISO 4217, as the server does. Intl's own tables differ for
// some currencies. An amount that was stored under another currency may have more decimals, and prices shows them all.
// For a currency that Intl does not know, it writes the code, never another currency's sign.
export function prices(currency, decimals) {
  const made = [];
  return (n) => {
    let digits = decimals;
    while (digits < 4 && Number(n.toFixed(digits)) !== n) digits++;
    made[digits] = made[digits] || pricesWith(currency, digits);
    return made[digits](n);
  };
}

function pricesWith(currency, digits) {
  const options = digits === undefined ? {} : { minimumFractionDigits: digits, maximumFractionDigits: digits };
  try {
    new Intl.NumberFormat("en", { style: "currency", currency });
  } catch {
    const amount = numbers({ minimumFractionDigits: 2, maximumFractionDigits: 2, ...options });
    return (n) => `${amount(n)} ${currency}`.trim();
  }
  return numbers({ style: "currency", currency, ...options });
}
