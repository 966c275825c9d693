import { useCallback, useEffect, useRef, useState } from "react";
import { Refusal, type Client, type Drop, type Reservation, type Watch } from "sneakerdrop";

/** useDrops follows all drops for as long as its component is shown. Make the client once, outside of components. */
export function useDrops(client: Client): { drops: Drop[]; up: boolean; lost: boolean; refusal: Refusal | null } {
  const [drops, show] = useState<Drop[]>([]);
  const [state, tell] = useState({ up: false, lost: false });
  const [refusal, refuse] = useState<Refusal | null>(null);
  const watching = useRef<Watch | null>(null);
  useEffect(() => {
    const draw = (): void => show([...(watching.current?.drops.values() ?? [])]);
    const live = client.watch({
      drop: draw,
      list() {
        refuse(null);
        draw();
      },
      failed: refuse,
      state: tell,
    });
    watching.current = live;
    return () => live.stop();
  }, [client]);
  return { drops, ...state, refusal };
}

/** useHold takes one unit through its life: reserve, then buy or giveBack. busy: a call is under way. */
export function useHold(client: Client, dropId: number) {
  const [hold, keep] = useState<Reservation | null>(null);
  const [busy, work] = useState(false);
  const [refusal, refuse] = useState<Refusal | null>(null);

  const during = useCallback(async (call: () => Promise<Reservation | null>): Promise<void> => {
    work(true);
    refuse(null);
    try {
      keep(await call());
    } catch (e) {
      if (!(e instanceof Refusal)) throw e;
      if (e.code === "reservation_expired" || e.code === "reservation_cancelled") keep(null);
      refuse(e);
    } finally {
      work(false);
    }
  }, []);

  return {
    hold, busy, refusal,
    reserve: (userName: string, size?: string) =>
      during(() => client.reserve({ dropId, userName, ...(size === undefined ? {} : { size }) })),
    buy: () => during(async () => (hold && (await client.purchase({ reservationId: hold.id })), null)),
    giveBack: () => during(async () => (hold && (await client.cancel({ reservationId: hold.id })), null)),
  };
}

/** useRemaining is how many seconds a hold still lasts, by the server's clock. */
export function useRemaining(client: Client, hold: Reservation | null): number {
  const [, draw] = useState(0);
  useEffect(() => {
    if (!hold) return;
    const timer = setInterval(() => draw((n) => n + 1), 250);
    return () => clearInterval(timer);
  }, [hold]);
  return hold ? Math.ceil(client.remaining(hold) / 1000) : 0;
}
