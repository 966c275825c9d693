import { createRoot } from "react-dom/client";
import { createClient, type Drop } from "sneakerdrop";
import { useDrops, useHold, useRemaining } from "./useDrops";

const client = createClient({ server: new URLSearchParams(location.search).get("server") ?? "http://localhost:3000" });

function App() {
  const { drops, up, lost, refusal } = useDrops(client);
  return (
    <>
      <h1>Drops</h1>
      <p role="status">{refusal ? refusal.message : up ? "Live" : lost ? "Connection lost. Reconnecting …" : "Connecting …"}</p>
      <ul>
        {drops.map((drop) => (
          <Item key={drop.id} drop={drop} />
        ))}
      </ul>
    </>
  );
}

function Item({ drop }: { drop: Drop }) {
  const { hold, busy, refusal, reserve, buy, giveBack } = useHold(client, drop.id);
  const seconds = useRemaining(client, hold);
  const size = drop.sizes?.find((s) => s.available_stock > 0)?.size;
  return (
    <li>
      <strong>{drop.name}</strong> {drop.available_stock} of {drop.total_stock} left{" "}
      {hold && seconds > 0 ? (
        <>
          <span role="timer">{seconds} s</span>{" "}
          <button disabled={busy} onClick={() => buy()}>Buy</button>{" "}
          <button disabled={busy} onClick={() => giveBack()}>Give back</button>
        </>
      ) : (
        <button disabled={busy} onClick={() => reserve("Ann", size)}>Reserve</button>
      )}
      {refusal && <p role="alert">{refusal.message}</p>}
    </li>
  );
}

const app = document.getElementById("app");
if (app) createRoot(app).render(<App />);
