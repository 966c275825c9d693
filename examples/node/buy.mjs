// Buys one unit of a drop the moment the drop starts: node examples/node/buy.mjs 1 Ann [http://localhost:3000]
import { createClient, Refusal } from "../../client/sneakerdrop.js";

const [drop, userName, server = "http://localhost:3000"] = process.argv.slice(2);
if (!drop || !userName) {
  console.error("usage: node examples/node/buy.mjs DROP NAME [SERVER]");
  process.exit(2);
}

const dropId = Number(drop);
const shop = createClient({ server });

// onSale resolves when the drop has started, is not paused, and has a unit to sell.
function onSale() {
  return new Promise((resolve, reject) => {
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    const watching = shop.watch(
      {
        drop(d) {
          const wait = Date.parse(d.start_time) - shop.now();
          const size = d.sizes?.find((s) => s.available_stock > 0)?.size;
          console.log(`${d.name}: ${d.available_stock} of ${d.total_stock} left${d.paused ? ", paused" : ""}`);
          clearTimeout(timer);
          if (d.paused || d.available_stock === 0) return;
          timer = setTimeout(() => {
            watching.stop();
            resolve(size);
          }, Math.max(0, wait));
        },
        failed(refusal) {
          if (refusal.code !== "drop_not_found") return console.error(`${refusal.message} We try again.`);
          watching.stop();
          reject(refusal);
        },
      },
      { drop: dropId },
    );
  });
}

try {
  await shop.measure();
  const size = await onSale();
  const hold = await shop.reserve({ dropId, userName, ...(size === undefined ? {} : { size }) });
  console.log(`Held for ${Math.ceil(shop.remaining(hold) / 1000)} seconds.`);
  const { purchase } = await shop.purchase({ reservationId: hold.id });
  console.log(`Bought: purchase ${purchase.id}.`);
} catch (refusal) {
  if (!(refusal instanceof Refusal)) throw refusal;
  console.error(`${refusal.message} (${refusal.code})`);
  process.exit(1);
}
