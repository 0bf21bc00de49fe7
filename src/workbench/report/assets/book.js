// The book's only script: theme, charts from their JSON blocks, sortable tables. It fetches nothing.
"use strict";
(() => {
  const root = document.documentElement;
  const systemDark = window.matchMedia("(prefers-color-scheme: dark)");
  const PHONE = 600;

  const remembered = () => { try { return localStorage.getItem("book-theme"); } catch { return null; } };
  const remember = (theme) => { try { localStorage.setItem("book-theme", theme); } catch { /* private window */ } };
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : systemDark.matches);
  if (["light", "dark"].includes(remembered())) root.dataset.theme = remembered();

  const readJson = (id) => JSON.parse(document.getElementById(id).textContent);

  // Figures are stored in light colours; the dark ones are put in their place by looking them up.
  function recoloured(node, darkByLight) {
    if (typeof node === "string") return Object.hasOwn(darkByLight, node) ? darkByLight[node] : node;
    if (Array.isArray(node)) return node.map((item) => recoloured(item, darkByLight));
    if (node === null || typeof node !== "object") return node;
    return Object.fromEntries(Object.entries(node).map(([key, item]) => [key, recoloured(item, darkByLight)]));
  }

  // On a phone long names wrap, so that they leave the bars room.
  function wrapped(name) {
    return name.replaceAll("<br>", " ").split(" ").reduce((lines, word) => {
      const last = lines[lines.length - 1];
      if (last !== undefined && `${last} ${word}`.length <= 15) lines[lines.length - 1] = `${last} ${word}`;
      else lines.push(word);
      return lines;
    }, []).join("<br>");
  }

  // A narrower screen shares its room out anew: figures beside bars keep their columns, rows and legend their lines.
  function fitted(figure, width) {
    const layout = { ...figure.layout, height: figure.height, autosize: true };
    if (width >= PHONE) return { data: figure.data, layout };
    const named = layout.yaxis.type === "category";
    const grid = layout.xaxis.type === "category";
    const columns = layout.meta?.columns;
    layout.margin = { ...layout.margin, l: 4, r: columns ? 4 : named ? 48 : 16 };
    layout.xaxis = grid ? { ...layout.xaxis, tickangle: -50, range: [-0.5, layout.xaxis.categoryarray.length - 0.5] }
      : { ...layout.xaxis, nticks: 5 };
    const few = figure.data.filter((trace) => !trace.meta?.wide);
    if (!named) return { data: few, layout: { ...layout, height: Math.round(figure.height * 1.12) } };

    const data = figure.data.map((trace) => ({ ...trace, y: trace.y.map(wrapped) }));
    const names = [...new Set(data.flatMap((trace) => trace.y))];
    const lines = names.map((name) => name.split("<br>"));
    if (layout.yaxis.categoryarray) {
      layout.yaxis = { ...layout.yaxis, categoryarray: layout.yaxis.categoryarray.map(wrapped) };
    }
    if (columns) {
      const plot = width - 16 - 7 * Math.max(...lines.flat().map((line) => line.length));
      const share = Math.min(0.6, columns / plot);
      layout.xaxis = { ...layout.xaxis, domain: [0, 1 - share], nticks: 4 };
      layout.xaxis2 = { ...layout.xaxis2, domain: [1 - share, 1] };
    }
    const marked = data.filter((trace) => trace.showlegend !== false);
    const across = Math.max(1, Math.floor(width / (46 + 7 * Math.max(...marked.map((t) => (t.name ?? "").length)))));
    const legend = layout.showlegend ? 20 * Math.ceil(marked.length / across) : 0;
    const row = grid ? 56 : Math.max(30, 16 * Math.max(...lines.map((line) => line.length)) + 6);
    layout.height = row * names.length + layout.margin.t + legend + (grid ? 96 : 60);
    if (grid) return { data: data.map((trace) => ({ ...trace, textposition: "bottom center" })), layout };
    return { data, layout };
  }

  function drawCharts(dark) {
    if (!window.Plotly) return;
    const darkByLight = dark ? readJson("colours") : {};
    for (const chart of document.querySelectorAll("[data-figure]")) {
      const figure = fitted(recoloured(readJson(chart.dataset.figure), darkByLight), chart.clientWidth);
      chart.querySelector(".chart-words")?.remove();
      Plotly.react(chart, figure.data, figure.layout, {
        displayModeBar: false, responsive: true, showTips: false, staticPlot: false,
      });
    }
  }

  function setUpTheme() {
    const button = document.querySelector("[data-theme-button]");
    const refresh = () => {
      button.textContent = isDark() ? "Light" : "Dark";
      button.setAttribute("aria-label", `Switch to the ${isDark() ? "light" : "dark"} theme`);
      drawCharts(isDark());
    };
    button.hidden = false;
    button.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      remember(root.dataset.theme);
      refresh();
    });
    systemDark.addEventListener("change", refresh);
    window.addEventListener("beforeprint", () => drawCharts(false));
    window.addEventListener("afterprint", () => drawCharts(isDark()));
    refresh();
  }

  function compare(first, second) {
    const [a, b] = [first.trim(), second.trim()];
    if (a === "" || b === "") return a === b ? 0 : a === "" ? 1 : -1;
    const [x, y] = [Number(a), Number(b)];
    return Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b, "en", { numeric: true }) : x - y;
  }

  function sortBy(table, head, column) {
    const ascending = head.getAttribute("aria-sort") !== "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
    const body = table.tBodies[0];
    const value = (row) => row.cells[column].dataset.sort ?? "";
    const rows = [...body.rows].sort((a, b) => {
      const missing = (value(a) === "") - (value(b) === "");  // what is missing stays last either way
      return missing || (ascending ? 1 : -1) * compare(value(a), value(b));
    });
    body.append(...rows);
  }

  function setUpTables() {
    for (const table of document.querySelectorAll("table[data-sortable]")) {
      [...table.tHead.rows[0].cells].forEach((head, column) => {
        const button = document.createElement("button");
        button.type = "button";
        button.className = "sort";
        button.append(...head.childNodes);
        head.append(button);
        button.addEventListener("click", () => sortBy(table, head, column));
      });
    }
  }

  // A table wider than its box says so, and only then is it a stop for the keyboard.
  function setUpScrolling() {
    for (const box of document.querySelectorAll(".table-scroll")) {
      const refresh = () => {
        const more = box.scrollWidth - box.clientWidth;
        box.classList.toggle("scrolls", more > 2);
        box.classList.toggle("at-end", more > 2 && box.scrollLeft >= more - 2);
        if (more > 2) box.tabIndex = 0; else box.removeAttribute("tabindex");
      };
      box.addEventListener("scroll", refresh, { passive: true });
      new ResizeObserver(refresh).observe(box);
    }
  }

  // On a phone the row of chapters may be longer than the screen: show the one that is open.
  function showCurrentChapter() {
    const current = document.querySelector(".chapters [aria-current]");
    const row = document.querySelector(".chapters");
    if (current) row.scrollLeft = current.offsetLeft - (row.clientWidth - current.offsetWidth) / 2;
  }

  document.addEventListener("DOMContentLoaded", () => { setUpTables(); setUpScrolling(); setUpTheme(); showCurrentChapter(); });
})();
