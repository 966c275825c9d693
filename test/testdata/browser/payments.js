// The calls of payments, after odd.js, as a test answers them: the server has no provider that is late or loses money. The
// tab keeps the answers, because the browser leaves the page in order to pay.
const fake = {
  get: (name) => JSON.parse(sessionStorage.getItem(`fake.${name}`)),
  put: (name, value) => sessionStorage.setItem(`fake.${name}`, JSON.stringify(value)),
  add: (name, value) => fake.put(name, [...(fake.get(name) ?? []), value]),
  // becomes sets what the server will say of the payment.
  becomes: (status, more = {}) => fake.put("payment", { status, ...more }),
  said: [], // in the live region
};
{
  document.addEventListener("readystatechange", () => {
    if (document.readyState !== "interactive") return; // before the modules run
    document.documentElement.dataset.payments = "true";
    const line = document.getElementById("said");
    if (line) new MutationObserver(() => fake.said.push(line.textContent)).observe(line, { childList: true, characterData: true, subtree: true });
  });

  const answer = (status, body) => Promise.resolve(new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } }));
  const paymentOf = ({ status, number = null, refunded = 0, currency = "USD" }) => ({
    id: 7, status, unsettled: ["open", "pending", "claimed"].includes(status), amount: 90, currency, refunded, provider: "demo", number,
    expires_at: fake.get("end"), createdAt: new Date().toISOString(),
  });

  net.instead = (path, init) => {
    if (path === "/api/drops/checkout") {
      fake.add("checkouts", JSON.parse(init.body));
      const refusal = fake.get("refusal");
      if (refusal) return answer(409, refusal);
      fake.put("end", new Date(Date.now() + 600_000).toISOString());
      const { status } = fake.get("payment") ?? { status: "open" };
      const url = status === "open" ? JSON.parse(init.body).return_url.replace("{payment}", "7") : null; // a provider who sends everybody back at once
      return answer(200, { url, expires_at: fake.get("end"), payment: { id: 7, status } });
    }
    if (!path.startsWith("/api/payments/")) return null;
    fake.add("looks", path);
    const known = fake.get("payment");
    const reservation = fake.get("checkouts")?.[0].reservationId ?? 2 ** 32 + 1;
    if (known === null) return answer(404, { error: "No such payment", code: "payment_not_found" });
    const purchase = known.status === "captured" ? { id: reservation, dropId: 1, userId: 2 ** 40, reservationId: reservation, price: 90, createdAt: new Date().toISOString() } : null;
    return answer(200, { payment: paymentOf(known), dropId: 1, reservationId: reservation, userId: 2 ** 40, purchase });
  };

  // The waits between two looks pass fast, and are noted.
  const timer = setTimeout;
  globalThis.setTimeout = (f, ms, ...given) => {
    if (!String(f).includes("getPayment")) return timer(f, ms, ...given);
    fake.add("waits", ms);
    return timer(f, ms / 100, ...given);
  };
}
