// Waitlists and draws in the control room: the terms of a draw in the form for a new drop, and the views on a drop's
// page. later.js loads this when it is needed, and gives it what it uses of the page.
import { access } from "./access.js";

export function parts(page) {
  const { html, useEffect, useReducer, client, now, moment, plural, precise, whole, useTopic, check, Download, forms, Found, useFound, useNew, SizeTable, openDialog, useOperates, buyerOf, href, start, startTexts, Table, zones } = page;
  const { Check, Field, useForm, useSending } = forms;
  const step = 600_000; // ms
  const longest = 200; // characters of a reason
  const last = Number.MAX_SAFE_INTEGER;
  const digits = (length, text) => (new RegExp(`^[0-9a-f]{${length}}$`).test(text) ? text : check.wrong("Lowercase hexadecimal digits: 0 to 9 and a to f."));
  const hash = (text) => (/^[0-9a-f]{64}$/.test(text) ? text : check.wrong("64 lowercase hexadecimal digits."));
  const none = (text) => text.trim() === "";

  // instant reads a local time. One that a clock change leaves out or repeats is refused.
  function instant(text) {
    const found = zones.read(text, "");
    if (found.kind === "none") check.wrong("Pick a day and a time.");
    if (found.instant === undefined) check.wrong("Clocks change at this time, so it does not exist or comes twice. Use another time.");
    return new Date(found.instant).toISOString();
  }

  const means = (text) => {
    const { instant: at } = zones.read(text, "");
    return at === undefined ? "" : `In UTC: ${zones.utcText(at)}.`;
  };

  // of applies a rule only while the drop is to have a draw.
  const of = (rule) => (text, texts) => (texts.draw ? rule(text ?? "", texts) : undefined);

  const checks = {
    draw: (on) => on || undefined,
    draw_opens: of(instant),
    draw_closes: of((text, texts) => {
      const closes = instant(text);
      const { value: opens } = check.tried(instant, texts.draw_opens ?? "");
      const { value: begins } = check.tried((s) => start(s, texts), texts.start_time);
      if (opens && closes <= opens) check.wrong("It must close after it opens.");
      if (begins && begins < closes) check.wrong("The drop must not start before the draw closes.");
      return closes;
    }),
    draw_pay_within: of((text) => check.count(text, 86_400, undefined, 10)),
    draw_seed_commitment: of((text) => (none(text) ? undefined : hash(text.trim()))),
    draw_beacon: of((text) => text || undefined),
    draw_round: of((text, texts) => (texts.draw_beacon ? check.count(text, last, undefined, 1) : undefined)),
  };

  // texts are those of a new draw: it is open for a day, and then the drop starts.
  function texts() {
    const opens = Math.ceil((now() + step) / step) * step;
    const closes = opens + 86_400_000;
    return {
      draw: true, draw_opens: zones.localText(opens), draw_closes: zones.localText(closes), ...startTexts(closes), draw_pay_within: "600",
      draw_seed_commitment: "", draw_beacon: "", draw_round: "",
    };
  }

  // sent is what the form sends: what begins with draw_ belongs to the draw.
  function sent(values) {
    const { draw, ...all } = values;
    const terms = Object.entries(all).filter(([name, value]) => name.startsWith("draw_") && value !== undefined);
    const rest = Object.fromEntries(Object.entries(all).filter(([name]) => !name.startsWith("draw_")));
    return draw ? { ...rest, draw: Object.fromEntries(terms.map(([name, value]) => [name.slice(5), value])) } : rest;
  }

  function Terms({ form }) {
    const on = form.texts.draw;
    const turn = { ...form, put: ({ draw }) => form.put(draw ? texts() : { draw: false }) };
    return html`<${Check} form=${turn} name="draw">Draw. Buyers enter, and a draw that everybody can check decides who may buy.<//>
      ${on && html`<div class="pair">
          <${Field} form=${form} name="draw_opens" label="Draw opens" type="datetime-local" step="1" hint=${means(form.texts.draw_opens)} />
          <${Field} form=${form} name="draw_closes" label="Draw closes" type="datetime-local" step="1" hint=${`${means(form.texts.draw_closes)} What the winners do not buy goes on sale at the start.`} />
        </div>
        <div class="pair">
          <${Field} form=${form} name="draw_pay_within" label="Time to pay in seconds" inputmode="numeric" autocomplete="off" hint="How long a pair stays reserved for a winner, and then for a runner-up." />
          <${Field} form=${form} name="draw_seed_commitment" label="Commitment to your seed" autocomplete="off" spellcheck="false" hint="Leave empty: the server makes a seed and reveals it. With your own seed, you reveal it after the close." />
        </div>
        <div class="pair">
          <div class="field"><label for="draw_beacon">Beacon</label>
            <select id="draw_beacon" name="draw_beacon" value=${form.texts.draw_beacon} onChange=${(e) => form.put({ draw_beacon: e.target.value })}>${["", "quicknet", "default"].map((name) => html`<option key=${name} value=${name} selected=${form.texts.draw_beacon === name}>${name || "None"}</option>`)}</select>
            <p class="hint">With a beacon nobody can know the result before the close, not even the shop.</p></div>
          ${form.texts.draw_beacon && html`<${Field} form=${form} name="draw_round" label="Round" inputmode="numeric" autocomplete="off" hint="Of the beacon, after the close." />`}
        </div>
        <p class="hint">The terms of a draw never change.</p>`}`;
  }

  // stageOf goes by the clock until the result is there.
  function stageOf({ phase, opens, closes }) {
    if (phase === "drawn") return phase;
    if (now() < Date.parse(opens)) return "soon";
    return now() < Date.parse(closes) ? "open" : "closed";
  }

  const stages = { soon: "Not open yet", open: "Open", closed: "Closed, no result yet", drawn: "Drawn" };
  const small = 2000; // entries of a record that is read here

  // usePublished is what everybody may know of a draw: from the close on, the root and the seal.
  function usePublished(drop, stage) {
    const [found, put] = useReducer((_, next) => next, null);
    const wanted = stage === "closed" || (stage === "drawn" && drop.draw.entered <= small);
    useEffect(() => {
      if (!wanted) return undefined;
      let timer = 0;
      let over = false;
      const look = async () => {
        const answer = await client.showDraw({ id: drop.id }).catch(() => null);
        if (over) return;
        if (answer) put(answer);
        if (!answer?.root) timer = setTimeout(look, 4000);
      };
      look();
      return () => {
        over = true;
        clearTimeout(timer);
      };
    }, [wanted, stage]);
    return found;
  }

  const states = { entered: ["ok", "In the draw"], withdrawn: ["refused", "Withdrawn"], removed: ["refused", "Removed"] };

  // Draw is the draw of a drop: its terms, what is published of it, and who entered.
  function Draw({ drop }) {
    const operates = useOperates();
    const { draw } = drop;
    const stage = stageOf(draw);
    const published = usePublished(drop, stage);
    const list = useFound(async (after, limit) => {
      const answer = await client.listDrawEntries({ id: drop.id, after, limit });
      return { rows: answer.entries, next: answer.next };
    }, drop.id);
    useNew(list);
    const at = (text) => html`<time datetime=${text} title=${zones.utcText(Date.parse(text))}>${moment(Date.parse(text), now())}</time>`;
    const code = (text) => (text ? html`<code>${text}</code>` : "–");
    const removes = operates && ["soon", "open"].includes(stage);
    const remove = (entry) => openDialog(Remove, { drop, entry, put: (next) => list.put((e) => (e.id === next.id ? next : e)) });
    const rows = list.rows.map((e) => html`<tr key=${e.id}><td>${e.id % 2 ** 32}</td><td><a href=${href(`buyers/${e.userId}`)}>${e.userId}</a></td><td><bdi>${e.sizes.join(", ") || "–"}</bdi></td><td>${precise(Date.parse(e.createdAt))}</td><td><${State} entry=${e} /></td><td>${removes && e.status === "entered" ? html`<button type="button" class="quiet" aria-label=${`Remove entry ${e.id % 2 ** 32}`} onClick=${() => remove(e)}>Remove</button>` : "–"}</td></tr>`);
    return html`
      <dl class="tiles">
        <div class="tile"><dt>Phase</dt><dd>${stages[stage]}</dd></div>
        <div class="tile"><dt>Entries</dt><dd>${whole(draw.entered)}</dd></div>
        <div class="tile"><dt>Opens</dt><dd>${at(draw.opens)}</dd></div>
        <div class="tile"><dt>Closes</dt><dd>${at(draw.closes)}</dd></div>
        <div class="tile"><dt>Time to pay</dt><dd>${whole(draw.pay_within)} s</dd></div>
        <div class="tile"><dt>Beacon</dt><dd>${draw.beacon ? html`${draw.beacon} <small>round ${draw.round}</small>` : "None"}</dd></div>
      </dl>
      <dl class="facts"><div><dt>Commitment</dt> <dd>${code(draw.seed_commitment)}</dd></div><div><dt>Root</dt> <dd>${code(published?.root)}</dd></div><div><dt>Seal</dt> <dd>${code(published?.seal)}</dd></div></dl>
      <div class="actions">
        <${Download} path=${`/api/drops/${drop.id}/draw`} name=${`draw-${drop.id}.json`}>${stage === "drawn" ? "Record of the draw" : "What is published"}<//>
        <a class="button quiet" href="/verify" target="_blank" rel="noopener">Check a draw</a>
        ${operates && stage === "closed" && html`<button type="button" class="quiet" onClick=${() => openDialog(Reveal, { drop })}>Reveal</button>`}
      </div>
      ${stage === "closed" && html`<p class="hint">The server reveals its own seed and reads the beacon by itself. Press Reveal if you keep the seed, or if the server cannot reach the beacon.</p>`}
      <${Found} list=${list} none="Nobody has entered the draw.">
        <${Table} tall label="Entries of the draw, oldest first" head=${["No.", "Buyer", "Sizes", "Since", "State", "Remove"]} numbers=${["No."]} rows=${rows} />
        <p class="hint" role="status">${list.next === null ? plural(rows.length, "entry", "entries") : `The oldest ${plural(rows.length, "entry", "entries")}`}. Your time zone: ${zones.zoneName(now())}.</p>
      <//>`;
  }

  function State({ entry }) {
    const [kind, word] = states[entry.status] ?? ["unknown", entry.status];
    return html`<span><span class=${`outcome ${kind}`}>${word}</span>${entry.reason && html`<small class="why"><bdi>${entry.reason}</bdi></small>`}</span>`;
  }

  // Remove takes an entry out of the draw.
  function Remove({ drop, entry, put, close }) {
    const number = entry.id % 2 ** 32;
    const form = useForm({ reason: "" }, { reason: (text) => (none(text) ? check.wrong("Say why.") : [...text.trim()].length > longest ? check.wrong(`At most ${longest} characters.`) : text.trim()) });
    const { submit, end, box } = useSending(form, async ({ reason }) => {
      put(await client.removeDrawEntry({ id: drop.id, entryId: entry.id, reason }));
      return { text: `Removed: entry ${number}` };
    }, close);
    return html`<form ref=${box} onSubmit=${submit} novalidate>
      <h2 id="dialog-title">Remove entry ${number} of buyer ${entry.userId}</h2>
      <p>The entry stays in the record of the draw, marked as removed. The buyer cannot enter again. You cannot undo this.</p>
      <${Field} form=${form} name="reason" label="Reason" maxlength=${longest} autocomplete="off" hint="Everybody can read it in the record. Leave out names and emails." />
      ${end("Remove entry")}
    </form>`;
  }

  // Reveal gives the server the seed that the shop keeps, or a round of the beacon that it cannot read by itself.
  function Reveal({ drop, close }) {
    const { beacon, round } = drop.draw;
    const signature = (text) => (none(text) ? undefined : digits("2,192", text.trim()));
    const form = useForm({ seed: "", signature: "", previous: "" }, { seed: (text) => (none(text) ? undefined : hash(text.trim())), signature, previous: signature });
    const { submit, end, box } = useSending(form, async ({ seed, signature: signed, previous }) => {
      await client.revealDraw({ id: drop.id, ...(seed ? { seed } : {}), ...(signed ? { beacon: { signature: signed, ...(previous ? { previous_signature: previous } : {}) } } : {}) });
      return { text: "Revealed. The result comes soon." };
    }, close);
    return html`<form ref=${box} onSubmit=${submit} novalidate>
      <h2 id="dialog-title">Reveal the draw of <bdi>${drop.name}</bdi></h2>
      <${Field} form=${form} name="seed" label="Seed" autocomplete="off" spellcheck="false" hint="64 hexadecimal digits. Leave empty if the server made it." />
      ${beacon && html`<${Field} form=${form} name="signature" label=${`Signature of round ${round} of ${beacon}`} autocomplete="off" spellcheck="false" hint="Leave empty if the server reads the beacon." />
        ${beacon === "default" && html`<${Field} form=${form} name="previous" label="Signature of the round before" autocomplete="off" spellcheck="false" />`}`}
      ${end("Reveal")}
    </form>`;
  }

  // places are the states of an entry: a class, and a word for people.
  const places = { waiting: ["unknown", "Waiting"], offered: ["ok", "Offered a pair"], left: ["refused", "Left"], skipped: ["refused", "Skipped"], closed: ["refused", "Waitlist closed"] };

  // Waitlist is how many wait for a drop, and the line: everybody who joined it, page by page.
  function Waitlist({ drop }) {
    useTopic("room");
    const list = useFound(async (after, limit) => {
      const answer = await client.showWaitlist({ id: drop.id, after, limit });
      return { rows: answer.entries, next: answer.next };
    }, drop.id);
    useNew(list);
    const rows = list.rows.map((e) => html`<tr key=${e.id}><td>${e.id % 2 ** 32}</td><td><a href=${href(`buyers/${e.userId}`)}><bdi>${buyerOf(e)}</bdi></a></td><td>${e.userId}</td><td><bdi>${e.size ?? "–"}</bdi></td><td>${precise(Date.parse(e.createdAt))}</td><td><${PlaceState} entry=${e} /></td><td>${e.endedAt ? precise(Date.parse(e.endedAt)) : "–"}</td></tr>`);
    return html`
      ${drop.waitlist
        ? html`<p>${plural(drop.waiting, "entry waits", "entries wait")}, and at most ${whole(drop.max_waiting)} can. Whoever is first in line gets a pair that comes back, reserved for ${whole(drop.offer_for)} s.</p>${drop.sizes.length > 0 && html`<${SizeTable} drop=${drop} />`}`
        : html`<p>${drop.draw ? "The winners and the runners-up of the draw stand in line here, in its order." : "This drop has no waitlist. To open one, press Edit."}</p>`}
      <${Found} list=${list} none="Nobody has joined the waitlist.">
        <${Table} tall label="Waitlist, oldest entry first" head=${["No.", "Buyer", "Buyer's number", "Size", "Since", "State", "Ended"]} numbers=${["No."]} rows=${rows} />
        <p class="hint" role="status">${list.next === null ? plural(rows.length, "entry", "entries") : `The oldest ${plural(rows.length, "entry", "entries")}`}. Your time zone: ${zones.zoneName(now())}.</p>
      <//>`;
  }

  // PlaceState is the state of an entry, and the rule that kept the buyer from an offer.
  function PlaceState({ entry }) {
    const [kind, word] = places[entry.status] ?? ["unknown", entry.status];
    return html`<span><span class=${`outcome ${kind}`}>${word}</span>${entry.reason && html`<small class="why">${entry.reason.replaceAll("_", " ")}</small>`}</span>`;
  }

  return { checks, sent, Terms, Draw, Waitlist, ...access(page) };
}
