/* Owns: files of exactly the rows shown, with the columns and places that the page has. */
"use strict";
(function (atlas) {
  const { element, say } = atlas;
  const SLICE = 20000; // rows written before the page has a moment
  const LINE_END = "\r\n", MARK = "\ufeff"; // without the mark, spreadsheets misread what is not English

  /* What the page knows of a row, column by column: ids, names, claim, the rest, place, details. */
  function columnsOf(layer) {
    const { cards, places, statuses, details } = layer;
    const number = (column) => (row) => { const value = column.numbers()[row]; return Number.isNaN(value) ? null : value; };
    const read = (column) => (column.numbers ? number(column) : (row) => column.text(row) || null);
    const place = (values) => (row) => (row < places.rows ? values[places.of(row)] : null);
    const found = new Map();
    for (const column of cards.list) if (column.name !== "radius") found.set(column.name, read(column));
    found.set("status", (row) => statuses[places.status[row]].key);
    found.set("uncertainty_m", number(cards.column("radius")));
    layer.data.filters.forEach((name, i) => { const column = layer.choices.column(String(i)); if (column) found.set(name, read(column)); });
    for (const column of details) found.set(column.name, read(column));
    return { columns: found, lat: place(places.lat), lon: place(places.lon) };
  }

  /* A spreadsheet would reckon with a text that begins so; an apostrophe keeps it a text. */
  const FORMULA = /^\s*[=+\-@\uff1d\uff0b\uff0d\uff20]/, NUMBER = /^[+-]?\d+(\.\d+)?$/;
  function cell(value) {
    if (value === null) return "";
    if (typeof value === "number") return String(value);
    const safe = FORMULA.test(value) && !NUMBER.test(value) ? "'" + value : value;
    return /[",\r\n]/.test(safe) || safe !== safe.trim() ? '"' + safe.replace(/"/g, '""') + '"' : safe;
  }

  const KINDS = {
    csv: {
      type: "text/csv;charset=utf-8",
      head: (names) => MARK + [...names, "latitude", "longitude"].map(cell).join(",") + LINE_END,
      row: (values, lon, lat) => [...values.map(([, value]) => cell(value)), cell(lat), cell(lon)].join(",") + LINE_END,
      foot: () => "",
    },
    geojson: {
      type: "application/geo+json",
      head: () => '{"type":"FeatureCollection","features":[\n',
      row: (values, lon, lat, first) => (first ? "" : ",\n") + JSON.stringify({
        type: "Feature", properties: Object.fromEntries(values),
        geometry: lon === null ? null : { type: "Point", coordinates: [lon, lat] },
      }),
      foot: () => "\n]}\n",
    },
  };

  async function write(kind, layers) {
    const { head, row, foot, type } = KINDS[kind], all = layers.map(columnsOf);
    const names = [...new Set(all.flatMap(({ columns }) => [...columns.keys()]))], parts = [head(names)];
    let first = true, waiting = [];
    for (let k = 0; k < layers.length; k++) {
      const { columns, lon, lat } = all[k];
      for (const i of layers[k].order()) {
        waiting.push(row(names.map((name) => [name, columns.has(name) ? columns.get(name)(i) : null]), lon(i), lat(i), first));
        first = false;
        if (waiting.length < SLICE) continue;
        parts.push(waiting.join(""));
        waiting = [];
        await atlas.pause();
      }
    }
    return new Blob([...parts, waiting.join(""), foot()], { type });
  }

  /* The title as a file may be called anywhere. */
  const DEVICE = /^(con|prn|aux|nul|com\d|lpt\d)$/i;
  function fileName(title) {
    const words = title.normalize("NFC").replace(/[^\p{L}\p{M}\p{N}]+/gu, "-").slice(0, 80).replace(/^-+|-+$/g, "");
    return !words || DEVICE.test(words) ? "reports" : words;
  }

  async function save(kind, layers) {
    const address = URL.createObjectURL(await write(kind, layers));
    const link = element("a", { href: address, download: fileName(document.title) + "." + kind });
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 60000);
  }

  /* Beneath their button, what is saved and as what; Escape or a press elsewhere closes it. */
  function menu(tools, filters) {
    const button = tools.querySelector(".ca-save"), box = tools.querySelector("#ca-files"), note = box.querySelector("p");
    const open = (shown) => { box.hidden = !shown; button.setAttribute("aria-expanded", String(shown)); };
    const tell = () => { note.textContent = say("download-note", { n: filters.sum.shown }); };
    button.addEventListener("click", () => open(box.hidden));
    tools.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || box.hidden) return;
      open(false);
      button.focus();
    });
    document.addEventListener("pointerdown", (event) => { if (!box.contains(event.target) && !button.contains(event.target)) open(false); });
    document.addEventListener("atlas:language", tell);
    filters.listen(tell);
  }

  atlas.downloads = function (tools, layers, filters) {
    menu(tools, filters);
    for (const button of tools.querySelectorAll("[data-download]")) {
      button.addEventListener("click", async () => {
        if (button.getAttribute("aria-busy") === "true") return;
        button.setAttribute("aria-busy", "true");
        try { await save(button.dataset.download, layers); } finally { button.removeAttribute("aria-busy"); }
      });
    }
  };
  Object.assign(atlas, { writeRows: write, fileName });
})(window.CompoundAtlas);
