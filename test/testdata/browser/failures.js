// What the test of the scripted failures has in a page, after odd.js: what happens to which call on its way, hands that press the
// page's buttons, and a memory of all the words that the page has shown.
const failures = { cases: [], said: [], wrong: new Set(), blind: false, shifted: false, frozen: false };
{
  const calls = /\/api\/drops\/(reserve|purchase|cancel)$/;
  const real = fetch;

  // The page gives a call up after 10 s of silence. On a busy machine that would be a failure that nobody has scripted, so it takes
  // five times as long here, and two seconds where the script has nobody answer.
  const timer = setTimeout;
  let giveUp = null; // of the call that is made next
  globalThis.setTimeout = (f, ms, ...given) => {
    if (ms !== 10_000) return timer(f, ms, ...given);
    giveUp = () => f(...given);
    return timer(f, 50_000, ...given);
  };

  // Each try of a call tells the proxy of the test what is to happen to it. The browser may send a try again by itself: it is still
  // the same one.
  globalThis.fetch = (path, init = {}) => {
    const headers = { ...init.headers };
    const [, call] = calls.exec(path) || [];
    const spoil = call ? next(call, JSON.parse(init.body), headers) : failures.blind && path.includes("/reservations") ? "lost before" : "";
    if (spoil) headers["X-Spoil"] = spoil;
    if (spoil.startsWith("hang")) timer(giveUp, 2000);
    if (failures.shifted && path !== "/health") headers["X-World"] = String(time.world);
    return real(path, { ...init, headers });
  };

  function next(call, { dropId, reservationId }, headers) {
    const drop = dropId ?? Math.floor(reservationId / 2 ** 32);
    const c = failures.cases.find((c) => c.drop === drop);
    if (!c) return "";
    const tries = (c.tries[call] = (c.tries[call] || 0) + 1);
    (c.keys[call] ||= new Set()).add(headers["Idempotency-Key"]);
    const faults = c.faults?.[call] || [];
    if (c.forever === call && !c.healed) return faults[Math.min(tries, faults.length) - 1];
    return faults[tries - 1] || "";
  }

  document.addEventListener("freeze", () => (failures.frozen = true));
  document.addEventListener("resume", () => (failures.frozen = false));

  const moment = (ms) => new Promise((done) => setTimeout(done, ms));
  const card = (c) => document.getElementById(`drop-${c.drop}`);
  const action = (c) => card(c)?.querySelector(".action button");
  const within = (c, button) => document.querySelector(`.tray .hold:not(.over)[aria-label="${c.name}"] .buttons ${button}`);
  const rows = (c) => [...document.querySelectorAll(`.tray .hold[aria-label="${c.name}"]`)];
  const busy = (e) => e.matches("[aria-busy=true], [aria-disabled=true]");
  const textIn = (e) => (e?.textContent || "").replace(/\s+/g, " ").trim();

  let hands;
  const of = (c, which) => [...hands[which].values()].filter((h) => h.dropId === c.drop);
  const live = (c) => of(c, "holds").filter((h) => h.phase !== "over");

  failures.begin = async (cases) => {
    const module = await import(moduleAt("shop/hands.js"));
    ({ hands } = module);
    Object.assign(failures, { reserve: module.reserve, remaining: module.remaining });
    failures.add(cases);
    new MutationObserver(look).observe(document.body, { childList: true, characterData: true, attributeFilter: ["class", "aria-busy"], subtree: true });
    new MutationObserver(() => {
      const text = document.getElementById("said").textContent;
      if (text) failures.said.push(text);
    }).observe(document.getElementById("said"), { childList: true, characterData: true, subtree: true });
  };

  failures.add = (cases) => failures.cases.push(...cases.map((c) => ({ ...c, tries: {}, keys: {}, seen: new Set(), had: 0, doing: "" })));

  // look notes what the page says of each case, and what contradicts itself.
  function look() {
    for (const e of document.querySelectorAll(".card .note.refused, .tray .hold.over .what, .tray .hold .problem")) {
      const place = e.closest(".card, .hold");
      const c = failures.cases.find((c) => place.matches(`#drop-${c.drop}, [aria-label="${c.name}"]`));
      if (!c) continue;
      c.seen.add(textIn(e));
      if (place.querySelector("[aria-busy=true]")) failures.wrong.add(`${c.name}: busy beside ${textIn(e)}`);
    }
  }

  const verbs = {
    reserve: { call: "reserve", done: (c) => live(c).length + of(c, "bought").length > c.had, button: action },
    early: { call: "reserve", done: () => false, press: (c) => failures.reserve(c.drop) },
    buy: { call: "purchase", done: (c) => live(c).length === 0, button: (c) => within(c, ".primary") },
    give: { call: "cancel", done: (c) => live(c).length === 0, button: (c) => within(c, ".quiet") },
  };

  // press presses a button once it can be pressed. It reports false where there is nothing left to do, since the page has heard
  // meanwhile what came of the press before.
  async function press(c, verb) {
    for (; ; await moment(25)) {
      if (verb.done(c)) return false;
      if (verb.press) return verb.press(c), true;
      const button = verb.button(c);
      if (!button || busy(button) || (verb.call === "reserve" && !textIn(button).startsWith("Reserve"))) continue;
      button.click();
      return true;
    }
  }

  const atWork = (c) => hands.asking.has(c.drop) || of(c, "holds").some((h) => h.phase === "buying" || h.phase === "giving");
  const refusalOf = (c) => hands.notices.get(c.drop) || of(c, "holds").find((h) => h.problem)?.problem;

  async function act(c, name) {
    const verb = verbs[name];
    c.had = live(c).length + of(c, "bought").length;
    for (let presses = 1; presses <= 30; presses++) {
      if (!(await press(c, verb))) return;
      while (atWork(c)) await moment(25);
      if (!refusalOf(c) || verb.done(c)) return;
      if (c.forever === verb.call && !c.healed) {
        if (!c.again) return;
        c.healed = true;
      } else if (!c.persist) return;
    }
    failures.wrong.add(`${c.name}: pressed in vain: ${refusalOf(c)?.code}`);
  }

  // act has the hands do something in some drops, drop → verb. Those without a delay press before it returns, where they can.
  failures.act = (what) => {
    for (const c of failures.cases) {
      const verb = what[c.drop];
      if (!verb) continue;
      c.doing = verb;
      const done = c.delay ? moment(c.delay).then(() => act(c, verb)) : act(c, verb);
      done.then(() => (c.doing = "")).catch((e) => failures.wrong.add(`${c.name}: ${e.stack}`));
    }
  };

  failures.busy = () => failures.cases.filter((c) => c.doing).map((c) => `${c.name} would ${c.doing}: ${textIn(card(c))} ${rows(c).map(textIn)}`);

  failures.report = () =>
    failures.cases.map((c) => ({
      drop: c.drop,
      note: textIn(card(c)?.querySelector(".note")),
      refused: !!card(c)?.querySelector(".note.refused"),
      button: textIn(action(c)),
      busy: [action(c), ...rows(c).flatMap((row) => [...row.querySelectorAll("button")])].some((b) => b?.matches("[aria-busy=true]")) || atWork(c),
      holds: live(c).map((h) => h.id),
      left: Object.fromEntries(live(c).map((h) => [h.id, Math.round(failures.remaining(h))])),
      bought: of(c, "bought").map((b) => b.id),
      rows: rows(c).map((row) => (row.matches(".over") ? "over" : textIn(row.querySelector(".problem")))),
      seen: [...c.seen],
      heard: failures.said.filter((text) => text === `It's yours! You purchased ${c.name}.`).length,
      tries: c.tries,
      keys: Object.fromEntries(Object.entries(c.keys).map(([call, keys]) => [call, keys.size])),
    }));
}
