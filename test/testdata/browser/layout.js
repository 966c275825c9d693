// What a test measures of how the cards of the shop window lie.

// holesOf are the gaps of more than so many pixels inside cards, and between a card and the one below it in its column.
function holesOf(most) {
  const found = [];
  const cards = [...document.querySelectorAll(".drops .card")];
  for (const card of cards) {
    const around = card.getBoundingClientRect();
    const parts = [...card.querySelectorAll(".picture, .body > header, .stock, .sizes, .action button, .note")]
      .map((e) => e.getBoundingClientRect()).filter((b) => b.height > 0).sort((a, b) => a.top - b.top);
    let filled = around.top;
    for (const part of [...parts, { top: around.bottom, bottom: around.bottom }]) {
      if (part.top - filled > most) found.push(`#${card.id} has a hole of ${Math.round(part.top - filled)} at ${Math.round(filled - around.top)}`);
      filled = Math.max(filled, part.bottom);
    }
    const below = cards.map((c) => c.getBoundingClientRect()).filter((b) => b.left < around.right - 1 && b.right > around.left + 1 && b.top >= around.bottom);
    const gap = Math.min(...below.map((b) => b.top)) - around.bottom;
    if (Number.isFinite(gap) && gap > most) found.push(`${Math.round(gap)} below #${card.id}`);
  }
  return [...found, ...emptyPlaces(cards, most)];
}

// emptyPlaces are rows of cards that end before the list does.
function emptyPlaces(cards, most) {
  const end = cards[0]?.parentElement.getBoundingClientRect().right;
  const rows = Map.groupBy(cards.map((c) => c.getBoundingClientRect()), (b) => Math.round(b.top));
  return [...rows].map(([top, row]) => [top, end - Math.max(...row.map((b) => b.right))])
    .filter(([, empty]) => empty > most).map(([top, empty]) => `the row at ${top} ends ${Math.round(empty)} early`);
}

// unread are the cards that come after the next one for the eye, and before it for a keyboard.
function unread() {
  const boxes = [...document.querySelectorAll(".card")].map((c) => ({ id: c.id, box: c.getBoundingClientRect() }));
  return boxes.slice(1).filter(({ box }, i) => {
    const before = boxes[i].box;
    return box.top < before.top - 1 || (Math.abs(box.top - before.top) <= 1 && box.left < before.left);
  }).map((c) => c.id);
}

// placesOf says where each card and what is pressed in it lies on the page.
function placesOf() {
  return [...document.querySelectorAll(".card, .action button, .sizes label")].map((e) => {
    const b = e.getBoundingClientRect();
    return [e.closest(".card").id, e.tagName, b.left, b.top + scrollY, b.width, b.height].map((n) => (typeof n === "number" ? Math.round(n) : n)).join(" ");
  });
}
