// What a test measures of a page that is written from the right.

// startOf and endOf are the distances of an element from the edges of its container where lines start and end.
function edgesOf(selector, container) {
  const e = document.querySelector(selector);
  const around = e?.closest(container);
  if (!around) return { Missing: true };
  const [box, outer] = [e.getBoundingClientRect(), around.getBoundingClientRect()];
  const [left, right] = [box.left - outer.left, outer.right - box.right].map(Math.round);
  return document.documentElement.dir === "rtl" ? { Start: right, End: left } : { Start: left, End: right };
}

// runsLeftToRight says that a text inside an element is drawn in one line, its first character leftmost.
function runsLeftToRight(selector, pattern) {
  const e = document.querySelector(selector);
  const walker = document.createTreeWalker(e, NodeFilter.SHOW_TEXT);
  const places = []; // of each character of the element's text
  let text = "";
  for (let node; (node = walker.nextNode()); text += node.data) for (let i = 0; i < node.data.length; i++) places.push([node, i]);
  const found = text.match(pattern);
  if (!found) return `${selector} reads ${text}`;
  const at = (i) => {
    const range = document.createRange();
    range.setStart(...places[i]);
    range.setEnd(places[i][0], places[i][1] + 1);
    return range.getBoundingClientRect();
  };
  const boxes = [...found[0]].map((_, i) => at(found.index + i)).filter((b) => b.width > 0);
  const wrong = boxes.findIndex((b, i) => i > 0 && (b.left < boxes[i - 1].left || Math.abs(b.top - boxes[0].top) > b.height / 2));
  return wrong < 0 ? "" : `${selector}: of ${found[0]}, character ${wrong} is left of the one before it, or on another line`;
}
