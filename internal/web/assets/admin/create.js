import { client, now } from "../shared/client.js";
import { plural } from "../shared/format.js";
import { html } from "../shared/html.js";
import { isolated } from "../shared/typed.js";
import * as check from "./check.js";
import { Check, Field, Terms, terms, termsOfWaitlist, useForm, useSending } from "./forms.js";
import { useLater } from "./later.js";
import { startTexts } from "./start.js";

// Create is the form for a new drop.
export function Create({ close, open }) {
  const later = useLater();
  const form = useForm(
    { name: "", price: "", ...startTexts(Math.ceil((now() + 600_000) / 600_000) * 600_000), image_url: "", limit_per_user: "", max_expired_holds: "", ...termsOfWaitlist(), sizes: "", total: "", draft: false },
    { ...terms, ...later?.checks, sizes: check.sizes, total: (s) => s, draft: (on) => on },
  );
  const sized = form.values.sizes?.length > 0;
  const total = check.tried((s) => check.count(s, 10_000_000), form.texts.total);
  if (!sized && form.problems.sizes === null) Object.assign(form, { problems: { ...form.problems, total: total.problem ?? null }, good: form.good && !total.problem });
  const { submit, end, box } = useSending(form, async (v) => {
    const { sizes, total: _, draft, ...rest } = later?.sent(v) ?? v;
    const drop = await client.createDrop({ ...rest, hidden: draft || undefined, image_url: v.image_url ?? undefined, ...(sized ? { sizes } : { total_stock: total.value }) });
    open(drop.id);
    return { text: `${draft ? "Created as a draft" : "Created"}: ${isolated(drop.name)}` };
  }, close);
  return html`<form ref=${box} onSubmit=${submit} novalidate>
    <h2 id="dialog-title">New drop</h2>
    <${Terms} form=${form} />
    ${later && html`<${later.Terms} form=${form} />`}
    <${Field} form=${form} name="sizes" label="Sizes" rows="4" hint=${sized ? `${plural(form.values.sizes.length, "size")}, ${plural(form.values.sizes.reduce((n, s) => n + s.stock, 0), "pair")} in total.` : "One size per line with its quantity, for example \"9.5 12\". Leave empty for no sizes."} />
    ${!sized && html`<${Field} form=${form} name="total" label="Pairs in total" inputmode="numeric" />`}
    <${Check} form=${form} name="draft">Create as a draft. Buyers cannot see it until you publish it.<//>
    ${end(form.texts.draft ? "Create draft" : "Create drop")}
  </form>`;
}
