import { h, html as plain } from "../vendor/preact.js";

// html is htm with one difference: the page owns elements, never bare text. Translators (browsers, extensions) replace
// text nodes with elements of their own. Preact would keep writing into the removed nodes, and put them back beside
// their translation. So html sets the text of an element that has only text as its textContent, and wraps text between
// elements in an element. A changed text then replaces whatever is there, and an unchanged one stays translated.
export function html(...template) {
  const made = plain(...template);
  if (Array.isArray(made)) return made.map(owned);
  return fixed(made);
}

const done = new WeakSet(); // htm keeps what never changes, and gives it out again

const isText = (child) => typeof child === "string" || typeof child === "number";
const isNothing = (child) => child === null || child === undefined || typeof child === "boolean";

// owned is a child that may stand in the page. Blanks alone nobody translates.
function owned(child) {
  if (isText(child)) return String(child).trim() === "" ? child : h("text-run", { textContent: String(child) });
  return Array.isArray(child) ? child.map(owned) : fixed(child);
}

function fixed(made) {
  const props = made?.props;
  if (!props || done.has(made)) return made;
  done.add(made);
  const children = [props.children].flat(Infinity);
  if (typeof made.type !== "string") {
    children.forEach((child) => isText(child) || fixed(child)); // a component puts its texts into elements of its own
  } else if (children.every((child) => isText(child) || isNothing(child))) {
    if (children.some(isText)) props.textContent = children.filter(isText).join("");
    delete props.children;
  } else {
    props.children = Array.isArray(props.children) ? joined(props.children) : owned(props.children);
  }
  return made;
}

// joined makes one of texts that follow each other. What comes after them keeps its place, by which Preact tells
// children apart.
function joined(children) {
  const result = children.map(() => null);
  let run = -1;
  children.forEach((child, i) => {
    if (!isText(child)) {
      result[i] = owned(child);
      if (!isNothing(child)) run = -1;
      return;
    }
    if (run < 0) run = i;
    result[run] = `${result[run] ?? ""}${child}`;
  });
  return result.map(owned);
}
