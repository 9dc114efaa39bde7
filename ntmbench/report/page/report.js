"use strict";

// Tables are sorted by a click on a header: by a cell's rank where it has one, else by its text.
// Each body is sorted by itself. The first column, which names the bodies, sorts them instead.
for (const table of document.querySelectorAll("table.sortable")) {
  const headers = [...table.tHead.rows[0].cells];
  headers.forEach((header, column) => {
    header.querySelector("button")?.addEventListener("click", () => {
      const shown = header.getAttribute("aria-sort");
      const first = header.dataset.first ?? "ascending";
      const order = shown === null ? first : shown === "ascending" ? "descending" : "ascending";
      headers.forEach((other) => other.removeAttribute("aria-sort"));
      header.setAttribute("aria-sort", order);
      const down = order === "descending";
      const bodies = [...table.tBodies];
      if (column === 0 && bodies.length > 1) {
        const named = (body) => body.rows[0].cells[0];
        bodies.sort((a, b) => compare(named(a), named(b), down));
        table.append(...bodies);
        return;
      }
      for (const body of bodies) {
        const rows = [...body.rows];
        rows.sort((a, b) => compare(a.cells[column], b.cells[column], down));
        body.append(...rows);
      }
    });
  });
}

// What is not known comes last, whichever way the rest is sorted.
function compare(a, b, down) {
  const [x, y] = [a, b].map((cell) => cell.dataset.rank);
  if (x === undefined || y === undefined) {
    const order = a.textContent.localeCompare(b.textContent, "en", { numeric: true });
    return down ? -order : order;
  }
  const [first, second] = [Number(x), Number(y)];
  if (first === second) return 0;
  if (first === Infinity) return 1;
  if (second === Infinity) return -1;
  return down ? second - first : first - second;
}

// A click on a figure opens the runs behind it; without this script the link leads to them.
const panel = document.getElementById("panel");
for (const link of document.querySelectorAll("a.open")) {
  link.setAttribute("aria-haspopup", "dialog");
}
document.addEventListener("click", (event) => {
  const link = event.target.closest("a.open");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const runs = document.getElementById(link.hash.slice(1));
  const copy = runs.cloneNode(true);
  copy.removeAttribute("id");
  copy.open = true;
  panel.querySelector(".content").replaceChildren(copy);
  panel.showModal();
  event.preventDefault();
});
panel.addEventListener("click", (event) => {
  if (event.target === panel) panel.close();
});
