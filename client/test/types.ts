// What the types allow and what they refuse. It is compiled and never run.
import { createClient, Refusal, type Drop, type Purchase } from "../sneakerdrop.js";

const shop = createClient({ server: "http://localhost:3000", token: async () => "x" });
const signal = new AbortController().signal;

export async function calls(): Promise<void> {
  const drops: Drop[] = await shop.listDrops();
  const first: Drop = await shop.getDrop({ id: drops[0]?.id ?? 1 }, { signal, tries: 2 });
  const hold = await shop.reserve({ dropId: first.id, userName: "ann", size: 9.5 }, { intent: "x", key: "y", signal });
  const { purchase } = await shop.purchase({ reservationId: hold.id });
  const bought: Purchase = purchase;
  const left: number = shop.remaining(hold) + bought.price;
  await shop.pause({ id: 1 });
  await shop.editDrop({ id: 1, hidden: true, image_url: null });
  const page = await shop.listPurchases({ id: 1, order: "newest", limit: left });
  const names: (string | undefined)[] = page.purchases.map((p) => p.username);
  const file: Blob = await shop.call("GET", "/api/drops/1/purchases?format=csv", { as: "blob" });
  const other: unknown = await shop.call("GET", "/health");
  console.log(names, file, other);

  // @ts-expect-error it needs a drop
  await shop.reserve({ userName: "ann" });
  // @ts-expect-error it needs an id
  await shop.getDrop();
  // @ts-expect-error a read has no key
  await shop.listDrops({}, { key: "x" });
  // @ts-expect-error there is no such order
  await shop.listPurchases({ id: 1, order: "random" });
  // @ts-expect-error there is no such call
  await shop.sellTwice({ id: 1 });
}

export function errors(e: unknown): string {
  if (!(e instanceof Refusal)) throw e;
  switch (e.code) {
    case "not_started":
      return `${e.starts_at} ${e.starts_in_ms}`;
    case "limit_reached":
      return String(e.limit - e.used);
    case "stock_in_use":
      return String(e.available);
    case "cooldown":
      return e.retry_at;
    case "rate_limited":
      return String(e.retry_in_ms);
    case "invalid":
      return e.field;
    case "offline":
    case "answer_late":
      return e.unsure ? e.error : e.message;
    // @ts-expect-error there is no such code
    case "nonsense":
      return "";
    default:
      // @ts-expect-error these belong to other codes
      return e.starts_at;
  }
}

export function live(): void {
  const w = shop.watch(
    {
      drop: (drop) => console.log(drop.available_stock),
      reservation: (reservation) => console.log(reservation.status),
      event(name, data) {
        console.log(name, data.dropId);
      },
      state: ({ up, lost }) => console.log(up, lost),
      failed: (refusal) => console.log(refusal.code),
    },
    { drop: 1, signal },
  );
  console.log(w.drops.get(1)?.name);
  // @ts-expect-error it is read only
  w.up = true;
  // @ts-expect-error there is no such handler
  shop.watch({ nothing() {} });
}
