// What a test puts into a page before its own scripts to make the world around it odd: clocks, answers, translators.

// time moves the clocks of the device. Asleep, performance.now() stands still and Date goes on, as does the server's clock;
// when somebody sets the device's clock, only Date changes.
const time = { stood: 0, wall: 0, world: 0 };
{
  const [steady, wall, DateOf] = [performance.now.bind(performance), Date.now, Date];
  performance.now = () => steady() - time.stood;
  Date.now = () => wall() + time.wall;
  globalThis.Date = class extends DateOf {
    constructor(...given) {
      given.length ? super(...given) : super(Date.now());
    }
  };
  Date.now = () => wall() + time.wall;
  time.sleep = (ms) => {
    time.wall += ms; // the wall clock goes on, and the other does not
    time.world += ms;
  };
  time.set = (ms) => (time.wall += ms);
}

// net is the way to the server: calls that are lost, slow or answered by somebody else.
const net = { lose: () => false, answers: [], keys: [], down: false };
{
  const real = fetch;
  globalThis.fetch = async (...given) => {
    const path = String(given[0]);
    if (net.down) throw new TypeError("Failed to fetch");
    if (path.includes("/reserve")) net.keys.push(given[1].headers["Idempotency-Key"]);
    if (path === "/health" && time.world) {
      const told = await (await real(...given)).json();
      return new Response(JSON.stringify({ ...told, timestamp: new Date(Date.parse(told.timestamp) + time.world).toISOString() }));
    }
    const instead = net.instead?.(path, given[1]);
    if (instead) return instead;
    const answer = await real(...given);
    if (net.lose(path)) throw new TypeError("Failed to fetch");
    return answer;
  };
}

// translate does to a page what Chrome's translator does: each text is taken out of the page and stands, translated, in two
// font elements in its place; whatever comes later is translated as well. A translation is the text in capitals, in brackets.
const translated = (text) => text.replace(/\S.*\S|\S/s, (words) => `[${words.toUpperCase()}]`);

function translate() {
  const one = (text) => {
    if (!text.data.trim() || text.parentElement?.closest("font, script, style, noscript, [translate=no]") || !text.parentElement) return;
    const [outer, inner] = [document.createElement("font"), document.createElement("font")];
    inner.textContent = translated(text.data);
    outer.append(inner);
    text.replaceWith(outer);
  };
  const all = (root) => {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    const texts = [];
    while (walker.nextNode()) texts.push(walker.currentNode);
    texts.forEach(one);
  };
  all(document.body);
  new MutationObserver(() => all(document.body)).observe(document.body, { childList: true, subtree: true, characterData: true });
}

// stray is what stands in the page beside what belongs there: texts that nobody translated, and translations of nothing.
function stray() {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const text = walker.currentNode;
    const parent = text.parentElement;
    if (!text.data.trim() || parent.closest("script, style, noscript, [translate=no], .uplot")) continue;
    if (!parent.closest("font")) found.push(`not translated: ${text.data}`);
    else if (parent.closest("font").parentElement.querySelectorAll(":scope > font").length > 1) found.push(`twice: ${parent.closest("font").parentElement.textContent}`);
  }
  return found;
}
