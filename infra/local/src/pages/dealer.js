// Keeps the table of the demo dealers' page up to date. Draws rows as `Received::row` does, by
// textContent only: what a lead says is never read as markup.
(() => {
  "use strict";
  const rows = document.getElementById("rows");
  let change = Number(rows.dataset.change), failures = 0;
  const known = new Map(Array.from(rows.rows, (row) => [Number(row.dataset.number), row]));

  const CELLS = [
    ["Time", "time", (m) => m.at.slice(11, 19)],
    ["Event", "event", (m) => m.event],
    ["Dealer", "dealer", (m) => m.dealer],
    ["Offer", "offer", (m) => m.offer],
    ["Person", "person", (m) => m.erased ? "erased" : m.name],
    ["ZIP", "zip", (m) => m.zip],
    ["Price", "price", (m) => m.price],
    ["Signature", "mark", null],
    ["Answered", "answer", (m) => m.answered === 0 ? "hangs" : String(m.answered)],
    ["Again", "again", (m) => m.duplicates > 0 ? "+" + m.duplicates : ""],
    ["State", "state", (m) => m.withdrawn ? "withdrawn" : ""],
  ];

  function draw(message) {
    const row = document.createElement("tr");
    row.dataset.number = message.number;
    row.classList.add("fresh");
    if (message.withdrawn || message.erased) row.classList.add("struck");
    for (const [label, name, text] of CELLS) {
      const cell = row.insertCell();
      cell.dataset.label = label;
      cell.className = name;
      if (text) {
        cell.textContent = text(message);
      } else {
        const mark = document.createElement("b");
        mark.className = message.verified ? "ok" : "no";
        mark.textContent = message.verified ? "verified" : "refused";
        cell.append(mark);
      }
    }
    return row;
  }

  function update(answer) {
    if (answer.change < change) { // another process answers now
      known.clear();
      rows.replaceChildren();
    }
    change = answer.change;
    for (const message of answer.messages.reverse()) { // oldest first, each new one on top
      const row = draw(message), before = known.get(message.number);
      if (before) before.replaceWith(row); else rows.prepend(row);
      known.set(message.number, row);
    }
    for (const [number, row] of known) {
      if (number < answer.oldest) { row.remove(); known.delete(number); }
    }
    for (const name of ["verified", "duplicates", "refused"]) {
      document.getElementById(name).textContent = answer.counts[name];
    }
    document.getElementById("empty").hidden = known.size > 0;
  }

  async function poll() {
    try {
      if (!document.hidden) {
        const response = await fetch("/demo/dealer/received.json?after=" + change, { cache: "no-store" });
        if (response.ok) update(await response.json());
      }
      failures = 0;
    } catch {
      failures += 1;
    }
    setTimeout(poll, Math.min(1000 * 2 ** failures, 15000));
  }
  poll();
})();
