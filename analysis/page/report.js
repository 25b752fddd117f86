"use strict";
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
    return Promise.all(figures.map(({ place, source }) => {
      const { data, layout } = resolve(source, style);
      return Plotly.react(place, data, layout, { responsive: true, displaylogo: false, displayModeBar: false });
    }));
  };

  draw();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  addEventListener("beforeprint", draw);
  addEventListener("afterprint", draw);
})();

// The trials table sorts by a heading; empty and unmeasured values stay last.
(() => {
  const table = document.getElementById("trials");
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  const key = (row, column) => {
    const text = row.cells[column].dataset.v;
    const number = Number(text);
    return text !== "" && !Number.isNaN(number) ? number : text;
  };
  const missing = (value) => value === "" || value === "nan" || value === "NaN";
  const compare = (a, b) =>
    typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));

  heads.forEach((head, column) => {
    head.querySelector("button")?.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") !== "descending";
      heads.forEach((other) => other.hasAttribute("aria-sort") && other.setAttribute("aria-sort", "none"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const rows = [...body.rows].sort((first, second) => {
        const [a, b] = [key(first, column), key(second, column)];
        if (missing(a) !== missing(b)) return missing(a) ? 1 : -1;
        return down ? compare(b, a) : compare(a, b);
      });
      body.append(...rows);
    });
  });
})();
