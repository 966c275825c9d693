// What operators do with a drop in one press: with a question before it where buyers would notice, and a way back
// after it where there is one.
import { html } from "../shared/html.js";
import { client, now } from "../shared/client.js";
import { whole } from "../shared/format.js";
import { isolated } from "../shared/typed.js";
import { confirm } from "./confirm.js";
import { toast } from "./modal.js";
import { dropOf, refresh } from "./room.js";
import { isDraft, sells, startOf } from "./state.js";
import { useTasks } from "./tasks.js";

const paying = "Buyers who hold a pair can still pay.";

// Each has the verb of its button, what it says when it is done, the call, and the action that takes it back. asks
// says whether there is a question first; effect is what buyers notice.
const actions = {
  pause: { verb: "Pause", done: "Paused", back: "resume", call: (id) => client.pause({ id }), asks: sells, effect: `Buyers cannot reserve until you resume it. ${paying}` },
  resume: { verb: "Resume", done: "Resumed", back: "pause", call: (id) => client.resume({ id }) },
  hide: { verb: "Hide", done: "Hidden", back: "publish", call: (id) => client.editDrop({ id, hidden: true }), asks: sells, effect: `It disappears from the shop at once, for everyone who is looking at it. ${paying}` },
  publish: {
    verb: "Publish", done: "Published", back: "hide", call: (id) => client.editDrop({ id, hidden: false }), asks: (drop) => isDraft(drop) && sells(drop),
    effect: "It appears in the shop at once, and buyers can reserve from its start time on.",
  },
  archive: { verb: "Archive", done: "Archived", back: "unarchive", call: (id) => client.editDrop({ id, archived: true }), asks: sells, effect: `The drop is over at once: it disappears from the shop, and nobody can reserve. ${paying}` },
  unarchive: { verb: "Unarchive", done: "Unarchived", back: "archive", call: (id) => client.editDrop({ id, archived: false }) },
};

export const verbOf = (name) => actions[name].verb;

// offered are the actions that a drop's state leaves. The copy of a rehearsal that was cut off can be put away.
export const offered = (drop) => (drop.rehearsal ? [!drop.archived && "archive"] : [
  !drop.archived && drop.hidden && isDraft(drop) && "publish",
  !drop.archived && (drop.paused ? "resume" : "pause"),
  drop.hidden ? !isDraft(drop) && "publish" : "hide",
  drop.archived ? "unarchive" : "archive",
]).filter(Boolean);

function facts(drop) {
  const { available, held, total } = dropOf(drop.id) ?? drop;
  const selling = startOf(drop) <= now() ? "This drop is selling" : "This drop is about to start";
  return `${selling}: ${whole(available)} of ${whole(total)} on sale, ${whole(held)} held.`;
}

const asked = (drop, { verb, effect }) => confirm({
  title: html`${verb} <bdi>${drop.name}</bdi>?`, verb: `${verb} drop`, text: () => (drop.hidden && verb === "Publish" ? effect : `${facts(drop)} ${effect}`),
});

// useActions runs a drop's actions, one at a time. refusal is the server's last no.
export function useActions(drop) {
  const { busy, refusal, run } = useTasks();
  const act = async (name) => {
    const action = actions[name];
    if (busy || (action.asks?.(drop) && !(await asked(drop, action)))) return;
    await run(name, async () => {
      await action.call(drop.id);
      await refresh();
      toast(`${action.done}: ${isolated(drop.name)}`, async () => {
        await actions[action.back].call(drop.id);
        await refresh();
        return `${actions[action.back].done}: ${isolated(drop.name)}`;
      });
    });
  };
  return { act, run, busy, refusal };
}
