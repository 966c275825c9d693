// The pages' one client of the server.
import { createClient } from "../client/sneakerdrop.js";

// session is set by a page whose calls need a token.
export const session = { token: () => "" };

export const client = createClient({
  token: () => session.token(),
  // Loaded after the page is there. A browser keeps in mind that a module did not come, so each try has a name of its
  // own.
  loadIO: async (tries) => (await import(`/socket.io/socket.io.esm.min.js${tries ? `?try=${tries}` : ""}`)).io,
});

export const { now, measure, onJump } = client;
