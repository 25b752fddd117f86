"use strict";

const table = document.getElementById("trial-table");
const rowOf = (trial) => table?.querySelector(`tr[data-trial="${CSS.escape(trial)}"]`);

// Figures name their colours var(--ink) and so on; resolve them for the theme in force, and again
// when it changes or the page goes to print.
(() => {
  const resolve = (value, style) => {
    if (typeof value === "string") {
      return value.replace(/var\((--[a-z]+)\)/g, (_, name) => style.getPropertyValue(name).trim());
    }
    if (Array.isArray(value)) return value.map((item) => resolve(item, style));
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, resolve(v, style)]));
    }
    return value;
  };

  const figures = [...document.querySelectorAll(".figure")].map((place) => ({
    place,
    source: JSON.parse(place.nextElementSibling.textContent),
  }));

  const draw = () => {
    const style = getComputedStyle(document.documentElement);
    const options = { responsive: true, displaylogo: false, displayModeBar: false };
    return Promise.all(figures.map(({ place, source }) => {
      const { data, layout } = resolve(source, style);
      return Plotly.react(place, data, layout, options);
    }));
  };

  // A mark whose custom data names a trial shows its render, and opens it when pressed.
  const peek = document.createElement("div");
  peek.id = "peek";
  peek.hidden = true;
  document.body.append(peek);
  const trialAt = (event) => {
    const named = event.points[0]?.customdata;
    return typeof named === "string" ? named : null;
  };
  const listen = ({ place }) => {
    place.on("plotly_hover", (event) => {
      const image = trialAt(event) && rowOf(trialAt(event))?.querySelector("img");
      if (!image) return;
      peek.replaceChildren(image.cloneNode(), `trial ${trialAt(event)}`);
      peek.hidden = false;
    });
    place.on("plotly_unhover", () => { peek.hidden = true; });
    place.on("plotly_click", (event) => trialAt(event) && look(trialAt(event)));
  };

  draw().then(() => {
    figures.forEach(listen);
    document.documentElement.dataset.drawn = String(figures.length);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  addEventListener("beforeprint", draw);
  addEventListener("afterprint", draw);
})();

// Commands: a button copies each.
document.querySelectorAll(".command").forEach((place) => {
  const [text, button] = [place.querySelector("code"), place.querySelector("button")];
  button.hidden = false;
  button.addEventListener("click", async () => {
    getSelection().selectAllChildren(text);
    try {
      await navigator.clipboard.writeText(text.textContent);
    } catch {
      document.execCommand("copy"); // where a page from a file may not write to the clipboard
    }
    button.textContent = "copied";
    setTimeout(() => { button.textContent = "copy"; }, 2000);
  });
});

// One trial, closer: its render and its row of the table.
function look(trial) {
  const row = rowOf(trial);
  if (!row) return; // of many trials, not all have a row
  const dialog = document.getElementById("look");
  const image = row.querySelector("img");
  const facts = document.createElement("dl");
  const heads = [...table.tHead.rows[0].cells].filter((head) => head.querySelector("button"));
  heads.forEach((head) => {
    const [name, value] = [document.createElement("dt"), document.createElement("dd")];
    name.textContent = head.textContent;
    value.textContent = row.cells[head.cellIndex].textContent;
    if (value.textContent) facts.append(name, value);
  });
  dialog.querySelector("div").replaceChildren(...(image ? [image.cloneNode()] : []), facts);
  dialog.showModal();
}

// The trials table: a heading sorts, text filters, a render opens. Unmeasured values stay last.
(() => {
  if (!table) return;
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  const missing = (text) => text === "" || text === "nan";
  const compare = (a, b) => {
    const [x, y] = [Number(a), Number(b)];
    return Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b) : x - y;
  };

  heads.forEach((head, column) => {
    head.querySelector("button")?.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") !== "descending";
      heads.forEach((h) => h.hasAttribute("aria-sort") && h.setAttribute("aria-sort", "none"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const rows = [...body.rows].sort((first, second) => {
        const [a, b] = [first.cells[column].dataset.v, second.cells[column].dataset.v];
        if (missing(a) !== missing(b)) return missing(a) ? 1 : -1;
        return down ? compare(b, a) : compare(a, b);
      });
      body.append(...rows);
    });
  });

  // Filtering shows fewer rows; report.css keeps the table as large as it is now.
  const box = table.parentElement;
  box.style.setProperty("--height", `${box.offsetHeight}px`);
  heads.forEach((head) => head.style.setProperty("--width", `${head.offsetWidth}px`));

  const filter = document.getElementById("filter");
  const shown = document.getElementById("shown");
  const apply = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const row of body.rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      count += row.hidden ? 0 : 1;
    }
    shown.textContent = `${count} of ${body.rows.length} trials`;
  };
  filter.addEventListener("input", apply);
  apply();

  document.addEventListener("click", (event) => {
    const thumb = event.target.closest(".thumb");
    if (thumb) look(thumb.dataset.trial);
  });
})();
