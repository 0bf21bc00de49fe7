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

  function fitted(figure, width) {
    const layout = { ...figure.layout, height: figure.height, autosize: true };
    if (width >= PHONE) return { data: figure.data, layout };
    const named = layout.yaxis.type === "category";
    layout.height = Math.round(figure.height * 1.12);
    layout.margin = { ...layout.margin, l: 4, r: named ? 48 : 16 };
    if (layout.xaxis.type !== "category") layout.xaxis = { ...layout.xaxis, nticks: 5 };
    if (!named) return { data: figure.data, layout };
    if (layout.yaxis.categoryarray) {
      layout.yaxis = { ...layout.yaxis, categoryarray: layout.yaxis.categoryarray.map(wrapped) };
    }
    return { data: figure.data.map((trace) => ({ ...trace, y: trace.y.map(wrapped) })), layout };
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

  document.addEventListener("DOMContentLoaded", () => { setUpTables(); setUpTheme(); });
})();
