// The codes of early access that a buyer has. The tab keeps them until it is closed or the buyer leaves it.
import { onlyDrop } from "./about.js";
import { codesKey, tab } from "./buyer.js";

export const longest = 100; // characters that the server reads

function kept() {
  try {
    return Object(JSON.parse(tab.get(codesKey) || "{}"));
  } catch {
    return {};
  }
}

export const keep = (dropId, code) => tab.set(codesKey, JSON.stringify({ ...kept(), [dropId]: code }));

// typedOf is what is in the field for a drop's code. A code from a link to all drops, kept as number 0, is for each.
export function typedOf(dropId) {
  const all = kept();
  return String(all[dropId] ?? all[0] ?? "");
}

// codeOf is the code for a drop, or empty.
export const codeOf = (dropId) => typedOf(dropId).trim();

// takeCode takes a code out of the address, where it must not stay: addresses are copied and kept.
export function takeCode() {
  const to = new URL(location.href);
  const code = to.searchParams.get("code");
  if (code === null) return;
  to.searchParams.delete("code");
  history.replaceState(history.state, "", to);
  if (code.trim() !== "" && code.length <= longest) keep(onlyDrop || 0, code);
}

// isOfCode says whether a refusal is one of the code, and not of the drop.
export const isOfCode = (refusal) => ["code_required", "code_invalid"].includes(refusal?.code);

// focusCode goes to the field for a drop's code, where there is one.
export const focusCode = (dropId) => setTimeout(() => document.getElementById(`code-${dropId}`)?.focus(), 100);
