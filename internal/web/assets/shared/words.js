import { moment, spoken } from "./format.js";
import { now } from "./client.js";
import { knows as has, language, t } from "./messages.js";

// What each refusal means to the person in front of the page: what happened, and what to do. The codes are those of
// the API. The texts are the messages refusal.<code>; here is what some of them need to know.
const detailed = {
  not_started: (r) => (r.starts_at ? t("refusal.not_started_until", { time: moment(Date.parse(r.starts_at), now()) }) : ""),
  limit_reached: (r) => (r.limit && r.used ? t("refusal.limit_reached_at", { n: r.limit, used: r.used }) : ""),
  cooldown: (r) => t("refusal.cooldown", { time: spoken(r.retry_in_ms || 60_000) }),
  rate_limited: (r) => t("refusal.rate_limited", { time: spoken(r.retry_in_ms || (r.retryAfter || 1) * 1000) }),
  stock_in_use: (r) => t("refusal.stock_in_use", { n: r.available ?? 0 }),
  invalid: (r) => sentence(r.error),
  fixed: (r) => sentence(r.error),
  not_now: (r) => sentence(r.error),
};

// sentence is what the server said, which speaks English only.
function sentence(text) {
  if (!text || !/^en\b/.test(language)) return "";
  return text[0].toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");
}

export const knows = (code) => has(`refusal.${code}`);

export function explain(refusal) {
  const code = knows(refusal.code) ? refusal.code : "internal";
  const detail = Object.prototype.hasOwnProperty.call(detailed, code) ? detailed[code](refusal) : "";
  return detail || t(`refusal.${code}`);
}
