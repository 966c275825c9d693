// inTurns asks one question of a kind at a time. The answer on its way may be older than what a caller has heard of. So
// all who ask meanwhile get the answer to one more question, which is asked after it. ask never rejects.
export function inTurns(ask) {
  const asked = new Map(); // kind → the answer on its way
  const next = new Map(); // kind → the answer after that
  const begin = (kind) => asked.set(kind, ask(kind).finally(() => asked.delete(kind))).get(kind);
  const follow = (kind) => asked.get(kind).then(() => next.delete(kind) && turn(kind));
  function turn(kind) {
    if (!asked.has(kind)) return begin(kind);
    if (!next.has(kind)) next.set(kind, follow(kind));
    return next.get(kind);
  }
  return turn;
}
