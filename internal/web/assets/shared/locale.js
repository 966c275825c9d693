// The language that dates and numbers are written in: the first that the browser asks for and Intl can write. What a
// browser says may be nonsense (C, en_US, en-US@posix, nothing at all), and Intl throws at much of it.

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

export const language = chosen(wanted());

// format returns a function that writes values by Intl.DateTimeFormat or Intl.NumberFormat. Where these refuse the
// language or an option, it tries the default and English without it; plain is the last resort and cannot fail.
function format(Kind, options, plain) {
  for (const [tag, rest] of [[language, options], [undefined, options], ["en", options], ["en", {}]]) {
    try {
      const made = new Kind(tag, rest);
      made.format(0);
      return (value) => {
        try {
          return made.format(value);
        } catch {
          return plain(value); // not a date, for example
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

// prices writes amounts of a currency with its decimals: Intl's own tables have others for some currencies than ISO
// 4217, which the server goes by. An amount that was stored under another currency may have more, and none is left
// out. Of a currency that Intl does not know, it writes the code as it is, and never another one's sign.
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
