// Early access in the control room: what there is of it, and the forms for more. lines.js takes it into the page, with
// what the page gives.
export function access({ html, useReducer, client, now, plural, precise, whole, check, confirm, explain, forms, Found, useFound, useNew, openDialog, save, useOperates, Table, zones }) {
  const { Field, useForm, useSending } = forms;
  const most = 10_000; // codes or buyers in one call
  const largest = 1_900_000; // bytes of a file
  const none = (text) => text.trim() === "";

  // instant reads a local time, or nothing. One that a clock change leaves out or repeats is refused.
  function instant(text) {
    if (none(text)) return undefined;
    const { kind, instant: at } = zones.read(text, "");
    if (kind === "none") check.wrong("Pick a day and a time, or leave it empty.");
    if (at === undefined) check.wrong("Clocks change at this time, so it does not exist or comes twice. Use another time.");
    return new Date(at).toISOString();
  }

  const means = (text) => {
    const { instant: at } = zones.read(text, "");
    return at === undefined ? "" : ` In UTC: ${zones.utcText(at)}.`;
  };

  function lines(text) {
    const found = text.split("\n").map((line) => line.trim()).filter(Boolean);
    if (found.length === 0) check.wrong("Enter at least one code.");
    if (found.length > most) check.wrong(`At most ${whole(most)} codes.`);
    return found;
  }

  function csv(file) {
    if (!file) check.wrong("Choose a CSV file.");
    if (file.size > largest) check.wrong(`At most ${whole(largest)} bytes.`);
    return file;
  }

  // of applies a rule only to the kind of passes that the form has chosen.
  const of = (wanted, rule) => (text, { kind }) => (kind === wanted ? rule(text) : undefined);
  const passes = { count: of("count", (text) => check.count(text, most, undefined, 1)), codes: of("codes", lines), list: of("list", csv) };
  const empty = { count: "100", codes: "", list: null };
  const optional = (largestOf) => (text) => check.count(text, largestOf, null, 1) ?? undefined;

  // terms are those of a new access.
  const terms = {
    name: (text) => (none(text) ? undefined : [...text.trim()].length > 100 ? check.wrong("At most 100 characters.") : text.trim()),
    uses: (text) => check.count(text, 1_000_000, undefined, 1),
    per_buyer: optional(1000),
    starts: instant,
    ends: (text, { starts }) => {
      const ends = instant(text);
      const { value: begins } = check.tried(instant, starts);
      if (ends && begins && ends <= begins) check.wrong("It must end after it starts.");
      return ends;
    },
    units: optional(10_000_000),
    sizes: (chosen) => (chosen.length > 0 ? chosen : undefined),
  };

  const kinds = { count: "Codes that the server makes", codes: "Your own codes", list: "A list of buyers" };

  // Passes are the fields for the codes or the buyers.
  function Passes({ form, choices }) {
    const { kind } = form.texts;
    return html`<div class="field"><label for="kind">Who gets in</label>
        <select id="kind" name="kind" value=${kind} onChange=${(e) => form.put({ kind: e.target.value })}>${choices.map((name) => html`<option key=${name} value=${name} selected=${kind === name}>${kinds[name]}</option>`)}</select></div>
      ${kind === "count" && html`<${Field} form=${form} name="count" label="Codes to make" inputmode="numeric" autocomplete="off" hint="You see them once, when they are made." />`}
      ${kind === "codes" && html`<${Field} form=${form} name="codes" label="Codes" rows="4" autocomplete="off" spellcheck="false" hint="One a line: 6 to 64 letters A to Z and digits. Letter case, spaces and hyphens do not matter." />`}
      ${kind === "list" && html`<${Field} form=${form} name="list" label="CSV file" type="file" accept=".csv,.txt,text/csv,text/plain" value=${undefined} onInput=${null} onChange=${(e) => form.put({ list: e.target.files[0] ?? null })}
        hint=${`One buyer a line, in the first column: the buyer's number, an email, or the SHA-256 of an email. At most ${whole(most)}.`} />`}`;
  }

  // Sizes chooses the sizes that an access is good for.
  function Sizes({ drop, form }) {
    const { sizes: chosen } = form.texts;
    const turn = (size, on) => form.put({ sizes: on ? [...chosen, size] : chosen.filter((s) => s !== size) });
    return html`<fieldset class="choices"><legend>Sizes</legend>
      ${drop.sizes.map(({ size }) => html`<label key=${size}><input type="checkbox" name="sizes" value=${size} checked=${chosen.includes(size)} onChange=${(e) => turn(size, e.target.checked)} /><span><bdi>${size}</bdi></span></label>`)}
      <p class="hint">Choose none for all sizes.</p></fieldset>`;
  }

  // sent is what the form sends: a file as its text.
  async function sent({ kind: _, list, ...rest }) {
    return { ...rest, ...(list ? { list: await list.text() } : {}) };
  }

  const about = ({ kind, passes: n }) => (kind === "list" ? plural(n, "buyer") : plural(n, "code"));

  // More makes an access, or adds to one: to. made gets the server's answer.
  function More({ drop, to, made, close }) {
    const choices = !to ? Object.keys(kinds) : to.kind === "list" ? ["list"] : ["count", "codes"];
    const form = useForm(
      { ...empty, kind: choices[0], name: "", uses: "1", per_buyer: "", starts: "", ends: "", units: "", sizes: [] },
      { kind: (kind) => kind, ...passes, ...(to ? {} : terms) },
    );
    const { submit, end, box } = useSending(form, async (values) => {
      const answer = await client.addCodes({ id: drop.id, ...(await sent(values)), ...(to ? { access: to.access } : {}) });
      made(answer);
      const lost = values.kind === "count" && !answer.codes; // the answer to a call that was sent again
      return { text: lost ? `The codes of early access ${answer.access.access} were lost on the way. Make new ones.` : `Saved: ${about(answer.access)}` };
    }, close);
    return html`<form ref=${box} onSubmit=${submit} novalidate>
      <h2 id="dialog-title">${to ? `Add to early access ${to.access}` : "New early access"}</h2>
      <${Passes} form=${form} choices=${choices} />
      ${!to && html`
        <${Field} form=${form} name="name" label="Name" maxlength="100" autocomplete="off" hint="Optional. Buyers do not see it." />
        <div class="pair">
          <${Field} form=${form} name="uses" label="Uses of each" inputmode="numeric" autocomplete="off" hint="How often each code or buyer gets in. A hold that ends unsold gives its use back." />
          <${Field} form=${form} name="per_buyer" label="Pairs per buyer" inputmode="numeric" autocomplete="off" hint="Leave empty for no limit but the drop's." />
        </div>
        <div class="pair">
          <${Field} form=${form} name="starts" label="From" type="datetime-local" step="1" hint=${`Leave empty for now.${means(form.texts.starts)}`} />
          <${Field} form=${form} name="ends" label="Until" type="datetime-local" step="1" hint=${`Leave empty for the start of the drop.${means(form.texts.ends)}`} />
        </div>
        <${Field} form=${form} name="units" label=${drop.sizes.length > 0 ? "Pairs to keep of each size" : "Pairs to keep"} inputmode="numeric" autocomplete="off" hint="They go back when it ends. Leave empty: its buyers take what is on sale." />
        ${drop.sizes.length > 0 && html`<${Sizes} drop=${drop} form=${form} />`}`}
      ${end(to ? "Add" : "Make")}
    </form>`;
  }

  // Codes are those that the server has just made. The page has them until the operator leaves it.
  function Codes({ drop, made: { access: { access: number }, codes }, done }) {
    const [said, say] = useReducer((_, next) => next, "");
    const copy = async () => {
      try {
        await navigator.clipboard.writeText(codes.join("\n"));
        say("Copied.");
      } catch {
        document.getElementById("made-codes").select();
        say("Press Ctrl+C to copy them.");
      }
    };
    const file = () => save(new Blob([`code\r\n${codes.join("\r\n")}\r\n`], { type: "text/csv" }), `codes-${drop.id}-${number}.csv`);
    return html`<section class="secret block" aria-labelledby="made-title">
      <h2 id="made-title">${plural(codes.length, "code")} of early access ${number}</h2>
      <p>Save them now. They are shown only once: the server keeps no codes, only their hashes.</p>
      <textarea id="made-codes" readonly rows="6" aria-labelledby="made-title" spellcheck="false">${codes.join("\n")}</textarea>
      <div class="buttons"><button type="button" class="primary" onClick=${copy}>Copy</button><button type="button" class="quiet" onClick=${file}>Download CSV</button><button type="button" class="quiet" onClick=${done}>Done</button><span class="hint" role="status">${said}</span></div>
    </section>`;
  }

  const states = { soon: ["unknown", "Not yet"], open: ["ok", "Open"], over: ["refused", "Over"] };

  const termsOf = ({ uses, per_buyer: limit, sizes }) =>
    [`${plural(uses, "use")} each`, limit && `${plural(limit, "pair")} per buyer`, sizes && `sizes ${sizes.join(", ")}`].filter(Boolean).join(", ");

  // Access is early access to a drop.
  function Access({ drop }) {
    const operates = useOperates();
    const [made, show] = useReducer((_, next) => next, null);
    const [refusal, refuse] = useReducer((_, next) => next, null);
    const list = useFound(async () => ({ rows: (await client.listCodes({ id: drop.id })).accesses, next: null }), drop.id);
    useNew(list);
    const open = (to) => openDialog(More, {
      drop, to,
      made: (answer) => {
        if (answer.codes) show(answer);
        list.again();
      },
    });
    const end = async (x) => {
      const back = x.kept > 0 ? ` ${plural(x.kept, "pair")} kept for it ${x.kept === 1 ? "goes" : "go"} to the waitlist, or on sale.` : "";
      if (!(await confirm({ title: `End early access ${x.access}?`, text: () => `It lets nobody else in.${back} You cannot undo this.`, verb: "End access" }))) return;
      refuse(null);
      try {
        await client.endCodes({ id: drop.id, access: x.access });
        list.again();
      } catch (r) {
        refuse(r);
      }
    };
    const button = (x, word, click) => html`<button type="button" class="quiet" aria-label=${`${word}: early access ${x.access}`} onClick=${click}>${word}</button>`;
    const rows = list.rows.map((x) => {
      const [kind, word] = states[x.state] ?? ["unknown", x.state];
      return html`<tr key=${x.access}><td>${x.access}</td><td><span><bdi>${x.name || "–"}</bdi><small class="why">${about(x)}, <bdi>${termsOf(x)}</bdi></small></span></td><td><span class=${`outcome ${kind}`}>${word}</span></td><td>${precise(Date.parse(x.starts))}</td><td>${precise(Date.parse(x.ends))}</td><td>${x.units ? whole(x.kept) : "–"}</td><td>${whole(x.used)}</td><td>${operates && x.state !== "over" ? html`<span>${button(x, "Add", () => open(x))} ${button(x, "End", () => end(x))}</span>` : "–"}</td></tr>`;
    });
    return html`
      ${made && html`<${Codes} drop=${drop} made=${made} done=${() => show(null)} />`}
      <p>Early access lets buyers with a code, or on a list, reserve before the drop starts${drop.draw ? ", or enter the draw before it opens" : ""}.</p>
      ${operates && !drop.archived && html`<div class="actions"><button type="button" class="primary" onClick=${() => open(null)}>New early access</button></div>`}
      <p class="problem" role="alert">${refusal && explain(refusal)}</p>
      <${Found} list=${list} none="There is no early access to this drop.">
        <${Table} tall label="Early access" head=${["No.", "Name", "State", "From", "Until", "Kept", "Used", "Change"]} numbers=${["No.", "Kept", "Used"]} rows=${rows} />
        <p class="hint">Your time zone: ${zones.zoneName(now())}.</p>
      <//>`;
  }

  return { Access };
}
