// The form for what a drop's page says: texts in Markdown, and pictures. What is typed stays until it is saved or
// discarded, also while the operator looks at other pages of the control room.
import { useEffect, useLayoutEffect, useRef, useState } from "../vendor/preact.js";
import { html } from "../shared/html.js";
import { client, now } from "../shared/client.js";
import { moment, whole } from "../shared/format.js";
import { isolated } from "../shared/typed.js";
import { explain } from "../shared/words.js";
import * as check from "./check.js";
import { confirm } from "./confirm.js";
import { Conflict, savedAt } from "./conflict.js";
import { openDialog, toast } from "./modal.js";
import { Preview } from "./preview.js";

const texts = [
  { name: "description", label: "Description", hint: "What makes this drop special: the story, the materials, the colors.", rows: 10 },
  { name: "size_guide", label: "Size guide", hint: "How it fits, and a table of sizes. Separate columns with |, for example \"EU | US\".", rows: 6 },
  { name: "rules", label: "Rules", hint: "Who may buy how many pairs, and what happens with bots.", rows: 4 },
  { name: "delivery", label: "Delivery", hint: "When you ship, where to, and what it costs.", rows: 4 },
];
const mostText = 20_000;
const mostImages = 8;
const mostAlt = 200;

// drafts has what was typed and not saved, by drop: the form, and the page that it began with.
const drafts = new Map();

// warn has the browser ask before the tab closes.
const warn = (e) => e.preventDefault();

function keep(id, draft) {
  if (draft) drafts.set(id, draft);
  else drafts.delete(id);
  if (drafts.size > 0) addEventListener("beforeunload", warn);
  else removeEventListener("beforeunload", warn);
}

let keys = 0; // tells the rows of pictures apart

const formOf = (page) => ({
  ...Object.fromEntries(texts.map(({ name }) => [name, page[name]])),
  images: page.images.map((image) => ({ ...image, key: ++keys })),
});

const pageOf = (form) => ({
  ...Object.fromEntries(texts.map(({ name }) => [name, form[name]])),
  images: form.images.map(({ url, alt }) => ({ url: url.trim(), alt })),
});

const same = (form, page) => JSON.stringify(pageOf(form)) === JSON.stringify(pageOf(formOf(page)));

// wrongs are the rules that the form breaks, by field, in the order of the form. The server has the last word.
function wrongs(form) {
  const found = {};
  form.images.forEach(({ url, alt }, i) => {
    const { problem } = check.tried((s) => check.image(s) ?? check.wrong("Enter the address of the picture, or remove this row."), url);
    if (problem) found[`images[${i}].url`] = problem;
    if ([...alt].length > mostAlt) found[`images[${i}].alt`] = `At most ${mostAlt} characters. This has ${whole([...alt].length)}.`;
  });
  for (const { name } of texts) {
    const length = [...form[name]].length;
    if (length > mostText) found[name] = `At most ${whole(mostText)} characters. This has ${whole(length)}.`;
  }
  return found;
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// newer reads what somebody else saved in place of that version. Another server may not know it for 2 seconds.
async function newer(id, etag) {
  for (let tries = 1; ; tries++) {
    const page = await client.getDropPage({ id });
    if (page.etag !== etag || tries === 6) return page;
    await pause(500);
  }
}

// onlyInPlaceOf is the condition of a save: the server refuses it if somebody else has saved the page since.
const onlyInPlaceOf = ({ etag }) => ({ headers: etag ? { "If-Match": etag } : {} });

export function Content({ drop }) {
  const [saved, setSaved] = useState(null);
  const [refusal, refuse] = useState(null);
  const load = async () => {
    refuse(null);
    try {
      setSaved(await client.getDropPage({ id: drop.id }));
    } catch (r) {
      refuse(r);
    }
  };
  useEffect(() => void load(), [drop.id]);
  if (refusal) return html`<p class="problem" role="alert">${explain(refusal)}</p><div class="buttons"><button type="button" class="quiet" onClick=${load}>Try again</button></div>`;
  if (!saved) return html`<p class="choose">Loading…</p>`;
  return html`<${Form} drop=${drop} saved=${saved} setSaved=${setSaved} />`;
}

function Form({ drop, saved, setSaved }) {
  const [form, put] = useState(() => drafts.get(drop.id)?.form ?? formOf(saved));
  const base = useRef(drafts.get(drop.id)?.base ?? saved); // the version that a save replaces
  const [theirs, setTheirs] = useState(base.current.etag === saved.etag ? null : saved); // saved by somebody else meanwhile
  const [problems, tell] = useState({});
  const [refusal, refuse] = useState(null);
  const [busy, work] = useState(false);
  const box = useRef();
  const focus = useRef(""); // the id that gets the focus after the next change
  const dirty = theirs !== null || !same(form, saved);
  const dirtyNow = useRef(dirty);
  dirtyNow.current = dirty;
  useLayoutEffect(() => {
    if (!focus.current) return;
    document.getElementById(focus.current)?.focus();
    focus.current = "";
  });
  useEffect(() => () => {
    if (dirtyNow.current) toast(`Not saved yet: the page of ${isolated(drop.name)}. Your changes are still in the form.`);
  }, []);

  const change = (next, except = () => true) => {
    put(next);
    keep(drop.id, same(next, saved) && !theirs ? null : { form: next, base: base.current });
    tell(Object.fromEntries(Object.entries(problems).filter(([field]) => except(field))));
  };
  const setText = (name, value) => change({ ...form, [name]: value }, (field) => field !== name);
  const setImages = (images, stays = (field) => !field.startsWith("images")) => change({ ...form, images }, stays);
  const setImage = (i, more) => {
    const fields = Object.keys(more).map((name) => `images[${i}].${name}`);
    setImages(form.images.map((image, at) => (at === i ? { ...image, ...more } : image)), (field) => !fields.includes(field) && field !== "images");
  };
  const add = () => {
    if (form.images.length >= mostImages) return;
    const key = ++keys;
    focus.current = `url-${key}`;
    setImages([...form.images, { key, url: "", alt: "" }]);
  };
  const remove = (i) => {
    const images = form.images.filter((_, at) => at !== i);
    focus.current = images.length > 0 ? `url-${images[Math.min(i, images.length - 1)].key}` : "add-image";
    setImages(images);
  };
  const move = (i, by) => {
    const to = i + by;
    if (to < 0 || to >= form.images.length) return;
    const images = [...form.images];
    [images[i], images[to]] = [images[to], images[i]];
    focus.current = `${by < 0 ? "up" : "down"}-${images[to].key}`;
    setImages(images);
  };

  const show = (found) => {
    tell(found);
    const first = box.current.querySelector(`[name="${CSS.escape(Object.keys(found)[0])}"]`);
    first?.focus();
  };
  const submit = (e) => {
    e.preventDefault();
    save();
  };
  const settle = (page, next) => {
    base.current = page;
    keep(drop.id, null);
    setTheirs(null);
    setSaved(page);
    put(next);
    tell({});
    refuse(null);
  };
  const save = async () => {
    if (busy) return;
    refuse(null);
    const found = wrongs(form);
    if (Object.keys(found).length > 0) return show(found);
    work(true);
    try {
      const page = await client.setDropPage({ id: drop.id, ...pageOf(form) }, onlyInPlaceOf(base.current));
      const next = formOf(page);
      next.images.forEach((image, i) => (image.key = form.images[i]?.key ?? image.key));
      settle(page, next);
      toast(`Saved: the page of ${isolated(drop.name)}`);
    } catch (r) {
      if (r.code === "page_changed") await collide();
      else if (r.field && box.current.querySelector(`[name="${CSS.escape(r.field)}"]`)) show({ [r.field]: explain(r) });
      else refuse(r);
    }
    work(false);
  };
  // collide keeps what was typed and shows what somebody else saved.
  const collide = async () => {
    try {
      const page = await newer(drop.id, base.current.etag);
      setTheirs(page);
      compare(page);
    } catch (r) {
      refuse(r);
    }
  };
  const compare = (page) => openDialog(Conflict, { mine: pageOf(form), theirs: page, save: () => saveOver(page), load: () => take(page) });
  const saveOver = (page) => {
    base.current = page; // only of the version that was shown
    save();
  };
  const take = (page) => {
    const [mine, before] = [form, base.current];
    settle(page, formOf(page));
    toast(`Loaded: the saved page of ${isolated(drop.name)}`, async () => {
      keep(drop.id, { form: mine, base: before });
      base.current = before;
      setTheirs(page);
      put(mine);
      return "Your text is back in the form";
    });
  };
  const discard = async () => {
    if (!(await confirm({ title: "Discard your changes?", text: "The form goes back to what is saved.", verb: "Discard changes" }))) return;
    const page = theirs ?? saved;
    settle(page, formOf(page));
  };

  return html`<form class="content" ref=${box} onSubmit=${submit} novalidate>
    <p class="hint">Buyers see this on the drop's own page. Write Markdown: # heading, **bold**, *italic*, - list, [text](address). An empty part is left out.</p>
    <fieldset class="images">
      <legend>Pictures</legend>
      <p class="hint">The first one is the main picture. At most ${mostImages}.</p>
      <ol>${form.images.map((image, i) => html`<${Picture} key=${image.key} image=${image} i=${i} last=${i === form.images.length - 1} problems=${problems}
        set=${(more) => setImage(i, more)} up=${() => move(i, -1)} down=${() => move(i, 1)} remove=${() => remove(i)} />`)}</ol>
      <button type="button" id="add-image" class="quiet" aria-disabled=${form.images.length >= mostImages} onClick=${add}>Add a picture</button>
    </fieldset>
    ${texts.map(({ name, label, hint, rows }) => html`<div class="field" key=${name}>
      <label for=${name}>${label}</label>
      <textarea id=${name} name=${name} rows=${rows} value=${form[name]} aria-describedby=${`${name}-hint ${name}-problem`} aria-invalid=${Boolean(problems[name])} onInput=${(e) => setText(name, e.target.value)} />
      <p class="hint" id=${`${name}-hint`}>${hint}</p>
      <p class="problem" id=${`${name}-problem`} role="alert">${problems[name] ?? ""}</p>
    </div>`)}
    <div class="save">
      <p role="status">${dirty ? "Not saved yet" : saved.updated_at ? `Saved ${moment(Date.parse(saved.updated_at), now())}` : "Nothing is saved yet"}</p>
      <p class="problem" role="alert">${refusal ? explain(refusal) : theirs ? `Someone else saved this page ${savedAt(theirs)}. Your text is still here.` : ""}</p>
      <div class="buttons">
        <button type="submit" class="primary" aria-disabled=${busy}>${busy ? "Saving…" : "Save page"}</button>
        ${theirs && html`<button type="button" class="quiet" onClick=${() => compare(theirs)}>Compare</button>`}
        ${dirty && html`<button type="button" class="quiet" onClick=${discard}>Discard changes</button>`}
        ${drop.hidden || drop.archived
    ? html`<button type="button" class="quiet" onClick=${() => openDialog(Preview, { drop })}>Preview as a buyer</button>`
    : html`<a href=${`/drops/${drop.id}`} target="_blank" rel="noopener">Preview as a buyer<span class="sr"> (opens a new tab and shows what is saved)</span></a>`}
      </div>
    </div>
  </form>`;
}

function Picture({ image, i, last, problems, set, up, down, remove }) {
  const { key } = image;
  const field = (name, label, hint, rest) => {
    const full = `images[${i}].${name}`;
    const problem = problems[full];
    return html`<div class="field">
      <label for=${`${name}-${key}`}>${label}</label>
      <input id=${`${name}-${key}`} name=${full} value=${image[name]} aria-describedby=${`${name}-${key}-hint ${name}-${key}-problem`} aria-invalid=${Boolean(problem)} autocomplete="off" onInput=${(e) => set({ [name]: e.target.value })} ...${rest} />
      <p class="hint" id=${`${name}-${key}-hint`}>${hint}</p>
      <p class="problem" id=${`${name}-${key}-problem`} role="alert">${problem ?? ""}</p>
    </div>`;
  };
  const shown = check.tried(check.image, image.url).value;
  const act = (id, label, sign, click, off = false) => html`<button type="button" class="quiet" id=${`${id}-${key}`} aria-label=${`${label} picture ${i + 1}`} title=${label} aria-disabled=${off} onClick=${click}>${sign}</button>`;
  return html`<li>
    <div class="thumb">${shown ? html`<img key=${shown} src=${shown} alt="" referrerpolicy="no-referrer" onError=${(e) => (e.target.hidden = true)} />` : html`<span aria-hidden="true">${i + 1}</span>`}</div>
    <div class="pair">
      ${field("url", `Picture ${i + 1}: address`, "It starts with https:// or /.", { inputmode: "url" })}
      ${field("alt", `Picture ${i + 1}: description`, "What it shows, for buyers who cannot see it.")}
    </div>
    <div class="actions">${act("up", "Move up", "↑", up, i === 0)}${act("down", "Move down", "↓", down, last)}${act("remove", "Remove", "×", remove)}</div>
  </li>`;
}
