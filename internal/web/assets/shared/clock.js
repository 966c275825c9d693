// The server's clock. Deadlines and starts are the server's, and a phone's clock may be minutes off, so the difference is
// measured and everything that counts on a page counts by now().
//
// Between two measurements time is counted by performance.now(), which nobody can set. It stands still while a laptop sleeps,
// though, so that it is compared with Date.now() at each look: where the two part, the device slept or its clock was set. The
// page then goes on by whichever is later, so that no hold looks longer than it is, and measures at once.

// stamp is a moment by both clocks of the device.
export const stamp = () => ({ steady: performance.now(), wall: Date.now() });

const tolerance = 500; // ms by which the two clocks may part between two looks: one is slewed, and browsers round them

let seen = stamp();
let offset = seen.wall - seen.steady; // the server's time less performance.now()
let slack = Infinity; // how far off the offset may be, ms
let measuredAt = 0;
const listeners = new Set();

// onJump has a function called when time on this page has jumped by so many ms: because the device slept or its clock was set
// (slept), or because a measurement corrected what the page believed.
export const onJump = (f) => listeners.add(f);

function jumped(ms, slept) {
  for (const f of listeners) f(ms, slept);
}

// look compares the two clocks, and corrects what is counted by. It reports whether they have parted since the last look.
function look() {
  const here = stamp();
  const parted = here.wall - seen.wall - (here.steady - seen.steady);
  if (Math.abs(parted) < tolerance) return false;
  seen = here;
  slack = Infinity;
  if (parted > 0) offset += parted;
  setTimeout(() => {
    measure();
    jumped(parted, true);
  });
  return true;
}

export function now() {
  look();
  return performance.now() + offset;
}

// observe takes a moment that the server told in an answer that was asked for at sent and had come at received, both stamps. It was
// told somewhere between the two: so close is known, and an answer on a faster trip knows better. It counts less as it ages.
export function observe(told, sent, received) {
  const trip = received.steady - sent.steady;
  const slept = look() || seen.steady > received.steady || Math.abs(received.wall - sent.wall - trip) >= tolerance;
  if (slept || !Number.isFinite(told)) return;
  const believed = received.steady + offset;
  const fits = believed >= told && believed <= told + trip;
  const stale = slack + (received.steady - measuredAt) / 1000;
  if (fits && trip / 2 > stale) return;
  offset = told + trip / 2 - received.steady;
  slack = trip / 2;
  measuredAt = received.steady;
  seen = stamp();
  const change = received.steady + offset - believed;
  if (Math.abs(change) >= tolerance) jumped(change, false);
}

// measure asks the server for its time, a few times over, and goes on until it knows. One asking is under way at a time.
let measuring = null;

export function measure(rounds = 3) {
  measuring = measuring || ask(rounds).then((answered) => {
    measuring = null;
    if (slack === Infinity) setTimeout(measure, answered ? 1000 : 5000); // there was no answer, or a jump while it was on its way
  });
  return measuring;
}

async function ask(rounds) {
  for (let i = 0; i < rounds; i++) {
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), 5000);
    try {
      const sent = stamp();
      const answer = await fetch("/health", { cache: "no-store", signal: controller.signal });
      const received = stamp();
      const { timestamp } = await answer.json();
      observe(Date.parse(timestamp), sent, received);
    } catch {
      return false;
    } finally {
      clearTimeout(timer);
    }
  }
  return true;
}

// The moments at which a device that slept is likely to be looked at again: without them the next look may be a second away.
for (const event of ["focus", "online", "pageshow"]) addEventListener(event, look);
for (const event of ["visibilitychange", "resume"]) document.addEventListener(event, look);
