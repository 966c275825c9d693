// The server's clock. Deadlines and starts are the server's, and a phone's clock may be minutes off, so the difference is
// measured: of several answers the fastest knows best.
let offset = Date.now() - performance.now();
let slack = Infinity;

export const now = () => performance.now() + offset;

// observe takes a moment that the server told, asked for at sent and answered at received (both of performance.now).
export function observe(told, sent, received) {
  const trip = received - sent;
  if (trip > slack) return;
  slack = trip;
  offset = told + trip / 2 - received;
}

export async function measure(rounds = 3) {
  let fresh = true;
  for (let i = 0; i < rounds; i++) {
    const sent = performance.now();
    try {
      const answer = await fetch("/health", { cache: "no-store" });
      const received = performance.now();
      const { timestamp } = await answer.json();
      if (fresh) slack = Infinity; // what was measured long ago counts no more
      fresh = false;
      observe(Date.parse(timestamp), sent, received);
    } catch {
      return; // without the server there is nothing to be in time for
    }
  }
}
