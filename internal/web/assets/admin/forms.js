import { useEffect, useRef, useState } from "../vendor/preact.js";
import { html } from "../shared/html.js";
import { client, now } from "../shared/client.js";
import { currency, decimals } from "../shared/config.js";
import { money, plural, whole } from "../shared/format.js";
import { isolated } from "../shared/typed.js";
import { explain } from "../shared/words.js";
import * as check from "./check.js";
import { confirm } from "./confirm.js";
import { toast } from "./modal.js";
import { dropOf, refresh } from "./room.js";
import { start, StartMeaning, startTexts } from "./start.js";
import { countsOf, startOf } from "./state.js";
import { utcText } from "./zones.js";

// Field is a labelled input that says what is wrong with it as soon as it was left, and from then on while it is typed.
// What the server says of it stays until it is changed.
export function Field({ form, name, label, hint, type = "text", rows, ...rest }) {
  const { texts, set, locked } = form;
  const problem = form.problemOf(name);
  const ids = `${name}-hint ${name}-problem`;
  const common = {
    id: name, name, value: texts[name], "aria-describedby": ids, "aria-invalid": problem !== null && problem !== undefined,
    disabled: locked.includes(name), onInput: (e) => set(name, e.target.value), onBlur: () => form.see(name), ...rest,
  };
  return html`<div class="field">
    <label for=${name}>${label}</label>
    ${rows ? html`<textarea rows=${rows} ...${common} />` : html`<input type=${type} ...${common} />`}
    <p class="hint" id=${`${name}-hint`}>${locked.includes(name) ? "This can no longer be changed: the drop has started, or pairs are held or were sold." : hint}</p>
    <p class="problem" id=${`${name}-problem`} role="alert">${problem}</p>
  </div>`;
}

export function useForm(initial, checks, locked = []) {
  const [texts, setTexts] = useState(initial);
  const [told, tell] = useState({}); // what the server said, by field
  const [seen, setSeen] = useState(new Set());
  const see = (...names) => setSeen(new Set([...seen, ...names]));
  const results = Object.fromEntries(Object.entries(checks).map(([name, test]) => [name, check.tried((s) => test(s, texts), texts[name])]));
  const problems = Object.fromEntries(Object.entries(results).map(([name, r]) => [name, r.problem ?? null]));
  const values = Object.fromEntries(Object.entries(results).map(([name, r]) => [name, r.value]));
  const put = (more) => {
    setTexts({ ...texts, ...more });
    tell(Object.fromEntries(Object.entries(told).filter(([name]) => !(name in more))));
  };
  const problemOf = (name) => told[name] ?? (seen.has(name) ? problems[name] : null);
  return { texts, seen, see, problems, problemOf, tell, values, locked, good: Object.values(problems).every((p) => p === null), put, set: (name, text) => put({ [name]: text }) };
}

// Sending is a form's end: its buttons, and what the server said. send promises the text of the notice, and how to undo
// what was done where that is possible. sure may ask first. A form that is sent again because its answer was
// lost is the same request, as long as nothing in it has changed. A refusal that names a field is shown at that field.
export function useSending(form, send, close, sure = () => true) {
  const [busy, work] = useState(false);
  const [refusal, refuse] = useState(null);
  const box = useRef();
  const submit = async (e) => {
    e.preventDefault();
    if (busy) return;
    form.see(...Object.keys(form.problems));
    if (!form.good) {
      box.current.querySelector(`[name="${Object.keys(form.problems).find((n) => form.problems[n])}"]`)?.focus();
      return;
    }
    if (!(await sure(form.values))) return;
    work(true);
    refuse(null);
    try {
      const { text, undo } = await send(form.values);
      await refresh();
      close();
      toast(text, undo);
    } catch (r) {
      const [field] = (r.field ?? "").replace(/^draw\./, "draw_").split(/[.[]/);
      const place = field ? box.current.querySelector(`[name="${CSS.escape(field)}"]:enabled`) : null;
      if (place) form.tell({ [field]: explain(r) });
      else refuse(r);
      work(false);
      place?.focus();
    }
  };
  const end = (word) => html`<p class="problem" role="alert">${refusal && explain(refusal)}</p>
    <div class="buttons">
      <button type="submit" class="primary" aria-disabled=${busy}>${busy ? "Saving…" : word}</button>
      <button type="button" class="quiet" onClick=${close}>Cancel</button>
    </div>`;
  useEffect(() => box.current.querySelector("input:enabled, select:enabled, textarea:enabled")?.focus(), []);
  return { submit, end, box };
}

export const terms = {
  name: check.name, price: check.price, start_time: start, image_url: check.image,
  limit_per_user: (s) => check.count(s, 1000, 0), max_expired_holds: (s) => check.count(s, 100, 0),
  waitlist: (on) => on, offers_count: (on, { waitlist }) => (waitlist ? on : undefined),
  offer_for: (s, { waitlist }) => (waitlist ? check.count(s, 86_400, undefined, 10) : undefined),
  max_waiting: (s, { waitlist }) => (waitlist ? check.count(s, 1_000_000, undefined, 1) : undefined),
};

export const termsOfWaitlist = (drop = {}) => ({
  waitlist: drop.waitlist ?? false, offer_for: String(drop.offer_for ?? 600), max_waiting: String(drop.max_waiting ?? 10_000), offers_count: drop.offers_count ?? false,
});

export function Terms({ form }) {
  return html`
    <${Field} form=${form} name="name" label="Name" maxlength="200" autocomplete="off" />
    <div class="pair">
      <${Field} form=${form} name="price" label=${`Price in ${currency}`} inputmode=${decimals === 0 ? "numeric" : "decimal"} placeholder=${decimals === 0 ? "12000" : (129.95).toFixed(decimals)} autocomplete="off" />
      <div class="start">
        <${Field} form=${form} name="start_time" label="Starts" type="datetime-local" step="1" aria-describedby="start_time-means start_time-hint start_time-problem"
          onInput=${(e) => form.put({ start_time: e.target.value, start_offset: "" })} />
        <${StartMeaning} form=${form} />
      </div>
    </div>
    <${Field} form=${form} name="image_url" label="Image" inputmode="url" autocomplete="off" hint="Optional: an address or a path." />
    <div class="pair">
      <${Field} form=${form} name="limit_per_user" label="Limit per person" inputmode="numeric" hint="Pairs that one person may reserve and buy. Leave empty for no limit." />
      <${Field} form=${form} name="max_expired_holds" label="Unpaid holds per person" inputmode="numeric" hint="After more than these, a buyer has to wait. Leave empty for no limit." />
    </div>
    <${Check} form=${form} name="waitlist">Waitlist. When it is sold out, buyers can wait for pairs that come back.<//>
    ${form.texts.waitlist && html`<div class="pair">
        <${Field} form=${form} name="offer_for" label="Offer time in seconds" inputmode="numeric" autocomplete="off" hint="How long a pair stays reserved for the buyer whose turn it is." />
        <${Field} form=${form} name="max_waiting" label="Longest waitlist" inputmode="numeric" autocomplete="off" hint="Buyers who may wait at a time, in all sizes together." />
      </div>
      <${Check} form=${form} name="offers_count">An offer that a buyer does not take counts as an unpaid hold.<//>`}`;
}

export function Check({ form, name, children }) {
  return html`<label class="check"><input type="checkbox" name=${name} checked=${form.texts[name]} onChange=${(e) => form.put({ [name]: e.target.checked })} /><span>${children}</span></label>`;
}

export function Edit({ drop, close }) {
  const began = Date.parse(drop.start_time) <= now();
  const moved = drop.held + countsOf(drop).purchases > 0;
  const locked = [moved && "price", (began || moved) && "start_time"].filter(Boolean);
  const initial = {
    name: drop.name, price: String(drop.price), ...startTexts(Date.parse(drop.start_time)), image_url: drop.image_url || "",
    limit_per_user: drop.limit_per_user ? String(drop.limit_per_user) : "", max_expired_holds: drop.max_expired_holds ? String(drop.max_expired_holds) : "", ...termsOfWaitlist(drop),
  };
  // What is older than a rule may stay until it is changed.
  const kept = (name) => (text, ...more) => (text === initial[name] ? undefined : terms[name](text, ...more));
  const form = useForm(initial, { ...terms, price: kept("price"), image_url: kept("image_url") }, locked);
  const changeOf = (v) => Object.fromEntries(Object.entries(v).filter(([field, value]) => value !== undefined && !locked.includes(field) && (value ?? 0) !== (normal(field, drop[field]) ?? 0)));
  const { submit, end, box } = useSending(form, async (v) => {
    const change = changeOf(v);
    await client.editDrop({ id: drop.id, ...change });
    return { text: `Saved: ${isolated(v.name)}`, undo: undoOf(drop, change) };
  }, close, (v) => sureOf(drop, changeOf(v)));
  return html`<form ref=${box} onSubmit=${submit} novalidate>
    <h2 id="dialog-title">Edit</h2>
    <${Terms} form=${form} />
    ${end("Save")}
  </form>`;
}

const normal = (field, value) => (field === "start_time" ? new Date(Math.floor(Date.parse(value) / 1000) * 1000).toISOString() : value);

// undoOf puts back what an edit has changed. Nothing has changed: there is nothing to undo. Whoever lost a place in
// line does not get it back.
function undoOf(drop, change) {
  const before = Object.fromEntries(Object.keys(change).map((field) => [field, drop[field] ?? null]));
  if (Object.keys(before).length === 0 || closesLine(drop, change)) return null;
  return async () => {
    await client.editDrop({ id: drop.id, ...before });
    await refresh();
    return `Changes undone: ${isolated(drop.name)}`;
  };
}

const closesLine = (drop, change) => change.waitlist === false && drop.waiting > 0;

const closing = ({ waiting }) => `${plural(waiting, "entry", "entries")} would lose ${waiting === 1 ? "its" : "their"} place in line. Offers stay.`;

// sureOf asks before the terms change that buyers see already.
function sureOf(drop, change) {
  if (closesLine(drop, change)) {
    return confirm({ title: html`Close the waitlist of <bdi>${drop.name}</bdi>?`, text: () => closing(dropOf(drop.id) ?? drop), verb: "Close waitlist" });
  }
  const seen = [];
  if ("price" in change) seen.push(`The price changes from ${money(drop.price)} to ${money(change.price)}.`);
  if ("start_time" in change) seen.push(`The start moves from ${utcText(startOf(drop))} to ${utcText(Date.parse(change.start_time))}.`);
  if (seen.length === 0 || drop.hidden || drop.archived) return true;
  return confirm({ title: html`Change <bdi>${drop.name}</bdi>?`, text: `Buyers can see this drop already. ${seen.join(" ")}`, verb: "Change drop" });
}

export function Restock({ drop, close }) {
  const sized = drop.sizes.length > 0;
  const form = useForm({ size: "", add: "" }, {
    size: (s) => (sized && s === "" ? check.wrong("Choose the size.") : s),
    add: (s) => (/^[+-]?\d+$/.test(s.trim()) && Number(s) !== 0 ? Number(s) : check.wrong("Enter how many pairs to add. A minus removes unsold pairs.")),
  });
  const problem = form.problemOf("size");
  const { submit, end, box } = useSending(form, async (v) => {
    const size = sized ? { size: v.size } : {};
    await client.restock({ id: drop.id, add: v.add, ...size });
    const text = (add) => `${add > 0 ? "Added" : "Removed"} ${plural(Math.abs(add), "pair")}: ${isolated(drop.name)}`;
    return {
      text: text(v.add),
      undo: async () => {
        await client.restock({ id: drop.id, add: -v.add, ...size });
        await refresh();
        return text(-v.add);
      },
    };
  }, close, (v) => v.add > 0 || confirm({
    title: html`Remove ${plural(-v.add, "pair")} of <bdi>${drop.name}</bdi>?`, verb: "Remove pairs",
    text: () => `${whole(dropOf(drop.id)?.available ?? drop.available)} of ${whole(drop.total)} pairs are on sale now. Buyers can no longer get the pairs that you remove.`,
  }));
  return html`<form ref=${box} onSubmit=${submit} novalidate>
    <h2 id="dialog-title">Restock</h2>
    ${sized && html`<div class="field"><label for="size">Size</label>
      <select id="size" name="size" value=${form.texts.size} aria-describedby="size-problem" aria-invalid=${problem !== null} onChange=${(e) => form.set("size", e.target.value)} onBlur=${() => form.see("size")}>
        <option value="" disabled>Choose a size</option>
        ${drop.sizes.map((s) => html`<option key=${s.size} value=${s.size}>${isolated(s.size)} (${whole(s.available)} on sale)</option>`)}
      </select>
      <p class="problem" id="size-problem" role="alert">${problem}</p></div>`}
    <${Field} form=${form} name="add" label="Pairs" inputmode="text" autocomplete="off" hint=${`${plural(drop.available, "pair")} on sale now. A minus removes unsold pairs.`} />
    ${end("Restock")}
  </form>`;
}
