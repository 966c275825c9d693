// The live connection: Socket.IO, WebSocket first. The client is loaded after the page is there.

let tries = 0;

// connect tells the handlers of each event, and state(true) or state(false) as the connection comes and goes.
export async function connect(handlers, { token, state }) {
  // A browser keeps in mind that a module did not come, so that each try has a name of its own.
  const { io } = await import(`/socket.io/socket.io.esm.min.js${tries++ ? `?try=${tries}` : ""}`);
  const socket = io({
    transports: ["websocket", "polling"],
    tryAllTransports: true,
    reconnectionDelay: 300,
    reconnectionDelayMax: 4000,
    auth: (use) => use(token() ? { token: token() } : {}),
  });
  for (const [event, handler] of Object.entries(handlers)) socket.on(event, handler);
  socket.on("connect", () => state(true));
  socket.on("disconnect", () => state(false));
  socket.on("connect_error", (error) => {
    state(false, error.data?.code);
    // A refused client does not come back by itself; without a token it may at least watch.
    if (error.data?.code && !socket.active) setTimeout(() => socket.connect(), 3000);
  });
  addEventListener("online", () => socket.connected || socket.connect());
  return socket;
}
