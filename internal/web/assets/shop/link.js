// The live connection of the shop window: what it tells goes to the catalog and the hands, and after each loss all is
// asked for again.
import { client, onJump } from "../shared/client.js";
import { payments } from "../shared/config.js";
import { t } from "../shared/messages.js";
import { say } from "../shared/say.js";
import { tell } from "../shared/topics.js";
import { buyer, signInFailed } from "./buyer.js";
import { catalog, changed, listed, notListed, settleNext } from "./catalog.js";
import { look } from "./checkout.js";
import { learnNew, readEntry } from "./draw.js";
import { forgive, heard, recount } from "./hands.js";
import { readLine, readNew } from "./waitlist.js";

// up: connected now. lost: gone for long enough to say so.
export const link = { up: false, lost: false };

let live = null;

export function start() {
  live = client.watch({
    drop(told) {
      changed(told);
      readNew(told);
      learnNew(told);
    },
    list: listed,
    failed: notListed,
    reservation(told) {
      heard(told);
      if (told.offer) (catalog.drops.get(told.dropId)?.draw ? readEntry : readLine)(told.dropId);
      look(); // its payment may be decided
    },
    purchase: ({ userId }) => payments && userId === buyer.id && recount(), // paid elsewhere
    refused: signInFailed,
    sync: () => recount().then((told) => told && link.up && forgive()),
    state({ up, lost }) {
      if (up && link.lost) say(t("shop.connected"));
      Object.assign(link, { up, lost });
      tell("link");
    },
  });
  catalog.drops = live.drops;
}

// signInAnew has the connection made again with the token of now.
export const signInAnew = () => live.reconnect();

export const loadAll = () => live.refresh().catch(() => {});

// What depends on the time is drawn anew when that has jumped.
onJump(() => {
  settleNext();
  for (const id of catalog.drops.keys()) tell(`drop:${id}`);
  for (const topic of ["phases", "hands"]) tell(topic);
});
