import { currency, decimals } from "./config.js";
import { dates, numbers, prices } from "./locale.js";

const dayAndTime = dates({ weekday: "short", day: "numeric", month: "short", hour: "numeric", minute: "2-digit" });
const dayOfYear = dates({ dateStyle: "medium", timeStyle: "short" });
const timeOf = dates({ hour: "numeric", minute: "2-digit" });

export const money = prices(currency, decimals);
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

// countdown is 02:09, 1:02:09 or 3 d 04:12 h; it reaches 00:00 when the time has come, not a second earlier.
export function countdown(ms) {
  const s = Math.max(0, Math.ceil(ms / 1000));
  const [days, hours, minutes] = [Math.floor(s / 86400), Math.floor(s / 3600) % 24, Math.floor(s / 60) % 60];
  if (days > 0) return `${days} d ${two(hours)}:${two(minutes)} h`;
  return (hours > 0 ? `${hours}:` : "") + `${two(minutes)}:${two(s % 60)}`;
}

// spoken is a length of time in words.
export function spoken(ms) {
  const s = Math.max(1, Math.ceil(ms / 1000));
  for (const [unit, name] of [[86400, "day"], [3600, "hour"], [60, "minute"]]) {
    if (s >= unit * 2 || s === unit) return `${Math.round(s / unit)} ${name}${s < unit * 1.5 ? "" : "s"}`;
  }
  return `${s} second${s === 1 ? "" : "s"}`;
}

export function ago(ms) {
  return ms < 10_000 ? "just now" : `${spoken(ms - (ms % (ms < 60_000 ? 10_000 : 60_000)))} ago`;
}

export const plural = (n, one, many = one + "s") => `${whole(n)} ${n === 1 ? one : many}`;
