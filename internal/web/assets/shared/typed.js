// What people typed: names, sizes, drops. It may run in the other direction, so where it is an element's text it
// stands in <bdi>, and where there is only text, such as in a label, isolated keeps it from turning what is around
// it.
const plain = /^[ -~]*$/;

// isolated puts a text between U+2068 and U+2069, which <bdi> means in markup. ASCII needs neither.
export const isolated = (text) => (plain.test(text) ? text : `\u2068${text}\u2069`);

const clusters = typeof Intl.Segmenter === "function" ? new Intl.Segmenter() : null;

// initialOf is the first character of a name as people see characters: a letter with its marks, a family of emoji
// whole.
export function initialOf(name) {
  if (!name) return "";
  return clusters ? clusters.segment(name)[Symbol.iterator]().next().value.segment : [...name][0];
}
