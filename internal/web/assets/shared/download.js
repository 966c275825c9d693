// Files come by a call, which carries the sign-in of this tab; a link could not.
import { client } from "./client.js";

// save gives a blob to the browser as a file.
export function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

// download fetches path and gives it to the browser as a file. progress is told how many bytes have come so far.
export async function download(path, name, progress) {
  save(await client.call("GET", path, { as: "blob", progress }), name);
}
