import { useState } from "../vendor/preact.js";

// useTasks does one thing at a time. busy is the name of what is under way, refusal the server's last no.
export function useTasks() {
  const [busy, work] = useState("");
  const [refusal, refuse] = useState(null);
  const run = async (name, task) => {
    if (busy) return;
    work(name);
    refuse(null);
    try {
      await task();
    } catch (r) {
      refuse(r);
    }
    work("");
  };
  return { busy, refusal, run };
}
