// Text that people typed: names, sizes, drops. It may have the other writing direction. As an element's text it is in
// <bdi>. In plain text, such as a label, isolated keeps it from changing the direction of its surroundings.
const plain = document.documentElement.dir === "rtl" ? /^$/ : /^[ -~]*$/;

// isolated puts a text between U+2068 and U+2069, which <bdi> means in markup. ASCII needs neither on a page that is
// written from the left. On others, the size 42 2/3 would read 2/3 42.
export const isolated = (text) => (plain.test(text) ? text : `\u2068${text}\u2069`);

const clusters = typeof Intl.Segmenter === "function" ? new Intl.Segmenter() : null;

// initialOf is the first character of a name as people see characters: a letter with its marks, a family of emoji
// whole.
export function initialOf(name) {
  if (!name) return "";
  return clusters ? clusters.segment(name)[Symbol.iterator]().next().value.segment : [...name][0];
}
