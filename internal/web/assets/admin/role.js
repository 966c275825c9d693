// Whether the token of this tab is an operator's: viewers see no buttons that only operators may press.
import { useEffect, useState } from "../vendor/preact.js";
import { client, session } from "../shared/client.js";
import { identity } from "../shared/config.js";

let known = { token: "", operates: false };

// useOperates is true where nobody has to sign in. The server is asked once for each token, and has the last word.
export function useOperates() {
  const token = session.token();
  const [, draw] = useState(0);
  useEffect(() => {
    if (!identity || known.token === token) return;
    const ask = async () => {
      const { tokens, me } = await client.listTokens().catch(() => ({ tokens: [], me: null }));
      known = { token, operates: tokens.find((t) => t.id === me)?.role !== "viewer" };
      draw((n) => n + 1);
    };
    ask();
  }, [token]);
  return !identity || (known.token === token && known.operates);
}
