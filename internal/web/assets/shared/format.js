import { currency, decimals } from "./config.js";
import { ages, dates, lengths, numbers, prices } from "./locale.js";
import { t } from "./messages.js";

const dayAndTime = dates({ weekday: "short", day: "numeric", month: "short", hour: "numeric", minute: "2-digit" });
const dayOfYear = dates({ dateStyle: "medium", timeStyle: "short" });
const timeOf = dates({ hour: "numeric", minute: "2-digit" });

export const money = prices(currency, decimals);

// amount is money that was paid, perhaps in the currency of another time.
export const amount = (n, of) => (of === currency ? money : prices(of))(n);

export const whole = numbers();
const timeOfDay = dates({ hour: "numeric", minute: "2-digit", second: "2-digit" });
const day = dates({ day: "numeric", month: "short" });

export const precise = dates({ dateStyle: "medium", timeStyle: "medium" });

// moment is a time as short as it can be said today.
export function moment(ms, now) {
  const [then, today] = [new Date(ms), new Date(now)];
  if (then.toDateString() === today.toDateString()) return timeOf(ms);
  return (then.getFullYear() === today.getFullYear() ? dayAndTime : dayOfYear)(ms);
}

// axisTime writes a moment on an axis whose marks are so many seconds apart.
export function axisTime(ms, apart) {
  return (apart < 60 ? timeOfDay : apart < 86_400 ? timeOf : day)(ms);
}

const two = (n) => String(n).padStart(2, "0");

// countdown is 02:09, 1:02:09 or 3 days 04:12:09; it reaches 00:00 when the time has come, not a second earlier.
export function countdown(ms) {
  const s = Math.max(0, Math.ceil(ms / 1000));
  const [days, hours, minutes] = [Math.floor(s / 86400), Math.floor(s / 3600) % 24, Math.floor(s / 60) % 60];
  if (days > 0) return t("time.days", { n: days, clock: `${two(hours)}:${two(minutes)}:${two(s % 60)}` });
  return (hours > 0 ? `${hours}:` : "") + `${two(minutes)}:${two(s % 60)}`;
}

// spoken is a length of time in words.
export function spoken(ms) {
  const s = Math.max(1, Math.ceil(ms / 1000));
  return lengthOf[unitOf(s)](inUnit(s));
}

const seconds = { day: 86_400, hour: 3600, minute: 60, second: 1 };
const lengthOf = Object.fromEntries(Object.keys(seconds).map((unit) => [unit, lengths(unit)]));
const age = ages();

// unitOf is the largest unit of which s seconds are exactly one, or two and more.
const unitOf = (s) => Object.keys(seconds).find((unit) => s >= seconds[unit] * 2 || s === seconds[unit]);
const inUnit = (s) => Math.round(s / seconds[unitOf(s)]);

// ago says how long ago something was, in steps of ten seconds and then of minutes.
export function ago(ms) {
  if (ms < 10_000) return t("time.just_now");
  const s = Math.ceil((ms - (ms % (ms < 60_000 ? 10_000 : 60_000))) / 1000);
  return age(-inUnit(s), unitOf(s));
}

// plural is for the control room, which speaks English.
export const plural = (n, one, many = one + "s") => `${whole(n)} ${n === 1 ? one : many}`;
