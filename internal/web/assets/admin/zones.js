// Local times in time zones. In the night of a clock change a local time may not exist, or exist twice: whoever plans
// by local time has to be told, and asked. The rules are the browser's own (Intl), for any zone and any year. Pure,
// so that tests can ask.

const hour = 3_600_000;

// zoneHere is the zone of this device.
export function zoneHere() {
  const zone = new Intl.DateTimeFormat("en").resolvedOptions().timeZone;
  try {
    partsOf(zone);
    return zone;
  } catch {
    return "UTC"; // some systems name a zone that is none
  }
}

const formats = new Map();

function partsOf(zone) {
  if (!zone) throw new RangeError("no zone");
  if (!formats.has(zone)) {
    formats.set(zone, new Intl.DateTimeFormat("en-US-u-ca-gregory-nu-latn", {
      timeZone: zone, hourCycle: "h23", era: "short", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric",
    }));
  }
  return formats.get(zone);
}

// utc is the instant that has these numbers in UTC: a way to count local times too. NaN: no calendar has that day.
function utc(year, month, day, hours, minutes, seconds) {
  const at = new Date(0);
  at.setUTCFullYear(year, month - 1, day);
  at.setUTCHours(hours, minutes, seconds);
  const fits = at.getUTCFullYear() === year && at.getUTCMonth() === month - 1 && at.getUTCDate() === day && hours < 24 && minutes < 60 && seconds < 60;
  return fits ? at.getTime() : NaN;
}

// offsetAt is by how many milliseconds local time is ahead of UTC at an instant.
export function offsetAt(ms, zone) {
  const whole = Math.floor(ms / 1000) * 1000;
  const of = Object.fromEntries(partsOf(zone).formatToParts(whole).map((p) => [p.type, p.value]));
  const year = of.era.startsWith("B") ? 1 - of.year : Number(of.year);
  return utc(year, Number(of.month), Number(of.day), Number(of.hour), Number(of.minute), Number(of.second)) - whole;
}

// offsetName is an offset as people write it: UTC+1, UTC-3:30, UTC+0.
export function offsetName(offset) {
  const seconds = Math.round(Math.abs(offset) / 1000);
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (n) => `:${String(n).padStart(2, "0")}`;
  return `UTC${offset < 0 ? "-" : "+"}${h}${m || s ? two(m) : ""}${s ? two(s) : ""}`;
}

// zoneName names a zone and what it means at an instant: Europe/Berlin (UTC+1).
export const zoneName = (ms, zone = zoneHere()) => `${zone} (${offsetName(offsetAt(ms, zone))})`;

const written = /^\s*(\d{4,6})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?\s*$/;

// parse reads a local time as an input of type datetime-local gives it, as if it were UTC. null: it is none.
export function parse(text) {
  const found = written.exec(text);
  if (!found) return null;
  const at = utc(...found.slice(1, 7).map((n) => Number(n ?? 0)));
  return Number.isNaN(at) ? null : at;
}

const iso = (wall) => new Date(wall).toISOString().slice(0, -5);

// localText is a local time as an input of type datetime-local wants it, to the second.
export const localText = (ms, zone = zoneHere()) => iso(Math.floor((ms + offsetAt(ms, zone)) / 1000) * 1000);

// utcText is an instant in UTC: 2026-10-25 00:30:00 UTC.
export const utcText = (ms) => `${iso(ms).replace("T", " ")} UTC`;

// reach is more than any zone was ever away from UTC.
const reach = 18;

// instantsOf finds the instants at which clocks in a zone show a local time (of parse), in order. It is one instant,
// two where clocks are set back, or none where they are set forward.
export function instantsOf(wall, zone = zoneHere()) {
  const offsets = new Set();
  for (let h = -reach; h <= reach; h++) offsets.add(offsetAt(wall + h * hour, zone));
  return [...offsets].map((o) => wall - o).filter((ms) => ms + offsetAt(ms, zone) === wall).sort((a, b) => a - b);
}

// gapAround is the clock change that leaves a local time out: the last second before it and the first one after it.
export function gapAround(wall, zone = zoneHere()) {
  const shows = (ms) => ms + offsetAt(ms, zone);
  let before = wall - reach * hour;
  while (shows(before + hour) < wall) before += hour;
  let after = before + hour;
  while (after - before > 1000) {
    const middle = before + Math.floor((after - before) / 2000) * 1000;
    if (shows(middle) < wall) before = middle;
    else after = middle;
  }
  return { before, after };
}

// read is what a typed local time means in a zone: nothing yet, one instant, two to choose from, or a gap. The offset
// chooses of two.
export function read(text, offset, zone = zoneHere()) {
  const wall = parse(text);
  if (wall === null) return { kind: "none" };
  const instants = instantsOf(wall, zone);
  if (instants.length === 0) return { kind: "gap", ...gapAround(wall, zone) };
  if (instants.length === 1) return { kind: "one", instant: instants[0] };
  const choices = instants.map((instant) => ({ instant, offset: String(offsetAt(instant, zone)) }));
  return { kind: "twice", choices, instant: choices.find((c) => c.offset === offset)?.instant };
}

// midnight is when the day began that it is now in a zone. Where a clock change leaves midnight out, the day began
// with the change.
export function midnight(ms, zone = zoneHere()) {
  const wall = parse(`${localText(ms, zone).slice(0, 10)}T00:00:00`);
  const found = instantsOf(wall, zone);
  return found.length > 0 ? found[0] : gapAround(wall, zone).after;
}
