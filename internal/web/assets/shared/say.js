// say tells people who listen to the page; the line is polite and waits for its turn.
export function say(text) {
  const line = document.getElementById("said");
  line.textContent = "";
  setTimeout(() => (line.textContent = text), 50);
}
