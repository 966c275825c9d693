// What a test has in each page of the product, from before its first script: notes of what goes wrong, and ways to look.
const noted = { violations: [], errors: [], long: [] };
document.addEventListener("securitypolicyviolation", (e) => noted.violations.push(`${e.violatedDirective}: ${e.blockedURI} ${e.sourceFile}:${e.lineNumber}`));
addEventListener("error", (e) => e.message && noted.errors.push(e.message));
addEventListener("unhandledrejection", (e) => noted.errors.push(String(e.reason?.stack || e.reason)));
new PerformanceObserver((list) => noted.long.push(...list.getEntries().map((e) => Math.round(e.duration)))).observe({ type: "longtask", buffered: true });

// textOf is what people can read of an element; of none it is empty. What is far off the screen has no innerText.
function textOf(selector) {
  const e = document.querySelector(selector);
  return (e?.innerText || e?.textContent || "").replace(/\s+/g, " ").trim();
}

// secondsLeft is what the first hold's ring shows: seconds, or minutes and seconds if they are many. 0: there is none.
function secondsLeft() {
  const [seconds, minutes = 0] = textOf(".ring span").split(":").reverse();
  return 60 * Number(minutes) + Number(seconds);
}

// moduleAt is where the server has one of the page's modules, which the page itself runs from its bundle.
function moduleAt(name) {
  return document.querySelector('script[type="module"]').src.replace(/[^/]*$/, name);
}

function press(selector) {
  const e = document.querySelector(selector);
  if (!e) throw new Error(`nothing to press: ${selector}`);
  e.click();
}

function fill(selector, value) {
  const e = document.querySelector(selector);
  if (!e) throw new Error(`nothing to fill: ${selector}`);
  e.focus();
  e.value = value;
  e.dispatchEvent(new InputEvent("input", { bubbles: true }));
  e.dispatchEvent(new Event("change", { bubbles: true }));
}

function submit(selector) {
  document.querySelector(selector).closest("form").requestSubmit();
}

const hittable = 'button, a[href], input:not([type="radio"]), select, textarea, label:has(input[type="radio"]), summary, [role="tab"]';

function shown(e) {
  const box = e.getBoundingClientRect();
  return box.width > 0 && box.height > 0 && getComputedStyle(e).visibility !== "hidden" && !e.closest(".sr, .skip");
}

// layerOf is the element that floats above the page and has e in it, or the page.
function layerOf(e) {
  for (let at = e; at; at = at.parentElement) {
    const position = getComputedStyle(at).position;
    if (position === "fixed" || position === "sticky" || at.matches("dialog")) return at;
  }
  return document.body;
}

const named = (e) => `${e.tagName.toLowerCase()}${e.id ? "#" + e.id : ""}${e.className?.baseVal === undefined && e.className ? "." + e.className.replace(/ /g, ".") : ""} “${(e.innerText || "").slice(0, 30)}”`;

// layOutAll has also those cards laid out that are off the screen, so that they can be looked at.
function layOutAll() {
  const sheet = new CSSStyleSheet();
  sheet.insertRule(".card { content-visibility: visible !important; }");
  document.adoptedStyleSheets = [sheet];
  document.querySelectorAll("img").forEach((i) => (i.loading = "eager"));
}

// layoutFaults says what is wrong with how the page lies: too wide, cut, on top of each other, too small to hit. The
// browser keeps an old height of a card off the screen until it comes near, and nobody sees it until then. So the cards
// are laid out first.
function layoutFaults() {
  layOutAll();
  const faults = [];
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > width) faults.push(`the page is ${document.documentElement.scrollWidth} wide in ${width}`);
  const targets = [...document.querySelectorAll(hittable)].filter(shown);
  const boxes = targets.map((e) => ({ e, layer: layerOf(e), box: e.getBoundingClientRect() }));
  boxes.forEach(({ e, layer, box }, i) => {
    const room = e.closest("dialog")?.getBoundingClientRect().right ?? width;
    if (box.right > room + 1 && !e.closest(".scrolls")) faults.push(`${named(e)} goes beyond its place`);
    if (box.width < 24 || box.height < 24) faults.push(`${named(e)} is ${Math.round(box.width)} by ${Math.round(box.height)}`);
    for (const other of boxes.slice(i + 1)) {
      if (other.layer !== layer || e.contains(other.e) || other.e.contains(e)) continue;
      const wide = Math.min(box.right, other.box.right) - Math.max(box.left, other.box.left);
      const high = Math.min(box.bottom, other.box.bottom) - Math.max(box.top, other.box.top);
      if (wide > 1 && high > 1) faults.push(`${named(e)} and ${named(other.e)} overlap`);
    }
  });
  faults.push(...cutTexts(width));
  return faults;
}

function cutTexts(width) {
  const faults = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode()); ) {
    const parent = node.parentElement;
    if (!node.data.trim() || !shown(parent) || parent.closest("script, noscript, svg")) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const box = range.getBoundingClientRect();
    if (box.width === 0) continue;
    for (let at = parent; at && at !== document.documentElement; at = at.parentElement) {
      const style = getComputedStyle(at);
      const around = at.getBoundingClientRect();
      if (style.overflowX === "auto" || style.overflowX === "scroll") break; // it can be scrolled to
      const clipped = style.overflowX !== "visible" || at.matches("button, label, .badge");
      const outside = box.left < around.left - 1 || box.right > around.right + 1 || box.top < around.top - 1 || box.bottom > around.bottom + 1;
      if (clipped && outside) faults.push(`“${node.data.trim().slice(0, 40)}” is cut by ${named(at)}`);
    }
    if (box.right > width + 1 && !parent.closest(".scrolls")) faults.push(`“${node.data.trim().slice(0, 40)}” goes beyond the page`);
  }
  return faults;
}

// loaded is what the first load cost: bytes over the wire and the time of the first paint.
function loaded() {
  const all = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
  return {
    Bytes: all.reduce((sum, e) => sum + (e.transferSize || 0), 0),
    Requests: all.length,
    Paint: performance.getEntriesByName("first-contentful-paint")[0]?.startTime || 0,
    Foreign: all.filter((e) => e.name.startsWith("http") && !e.name.startsWith(location.origin)).map((e) => e.name),
  };
}

async function axeFaults() {
  const results = await axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] });
  return results.violations.filter((v) => ["serious", "critical"].includes(v.impact)).map((v) => `${v.id}: ${v.help}: ${v.nodes.map((n) => n.html.slice(0, 140) + " " + n.any.map((a) => a.message).join("; ")).slice(0, 3).join(" | ")}`);
}
