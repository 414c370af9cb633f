/* Owns: the page around the map: opening view, layer switches, tabs, table, scale bar. */
"use strict";
(function (atlas) {
  const { element, text, link, plural, phrase, distance } = atlas;
  const PAGE_ROWS = 100;

  /* Nothing of the view may lie under the buttons at its left. */
  const BESIDE_CONTROLS = { paddingTopLeft: [56, 14], paddingBottomRight: [14, 14] };

  function tabs(panel) {
    const buttons = [...panel.querySelectorAll("[role=tab]")];
    const open = (button) => {
      for (const other of buttons) {
        const chosen = other === button;
        other.setAttribute("aria-selected", chosen);
        other.tabIndex = chosen ? 0 : -1;
        document.getElementById(other.getAttribute("aria-controls")).hidden = !chosen;
      }
      panel.dataset.tab = button.dataset.tab;
      panel.dispatchEvent(new CustomEvent("atlas:tab", { detail: button.dataset.tab }));
    };
    buttons.forEach((button, i) => {
      button.addEventListener("click", () => open(button));
      button.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (!step) return;
        const next = buttons[(i + step + buttons.length) % buttons.length];
        open(next);
        next.focus();
      });
    });
  }

  const NOWHERE = { "-1": "no location", "-2": "too near a pole for this map" };

  function row(layer, i, map) {
    const data = layer.data, column = (name) => data.columns[name][i];
    const title = data.name[i] || column("locality") || column("admin1") || column("site_id");
    const located = data.place[i] >= 0;
    const name = located ? element("button", { type: "button", class: "ca-link" }, text(title)) : text(title);
    if (located) name.addEventListener("click", () => { map.addLayer(layer); layer.show(i); });
    const where = [column("admin1"), column("country")].filter(Boolean).join(", ");
    const radius = data.radius[i], response = data.responses ? phrase(column("state_response")) : "";
    const precision = radius === null ? "radius not stated" : "within " + distance(radius);
    const cell = (...content) => element("td", { role: "cell" }, ...content);
    return element("tr", { "data-row": i, role: "row" },
      cell(name, element("small", {}, text(where))),
      cell(atlas.status(data, i).label, element("small", {}, response)),
      cell(NOWHERE[data.place[i]] || precision),
      cell(link(data.url[i], column("source")) || "none given", element("small", {}, column("source_date"))));
  }

  /* Rows are written when the table is first opened, a hundred at a time. */
  function table(panel, layers, map) {
    const body = panel.querySelector(".ca-table tbody"), more = panel.querySelector(".ca-more");
    const rows = layers.flatMap((layer) => layer.data.place.map((_, i) => [layer, i]));
    let shown = 0;
    const extend = () => {
      body.append(...rows.slice(shown, shown + PAGE_ROWS).map(([layer, i]) => row(layer, i, map)));
      shown = Math.min(rows.length, shown + PAGE_ROWS);
      more.hidden = shown === rows.length;
      more.textContent = "Show more (" + plural(rows.length - shown, "row", "rows") + " left)";
    };
    panel.addEventListener("atlas:tab", (event) => { if (event.detail === "table" && !shown) extend(); });
    more.addEventListener("click", extend);
  }

  function switches(panel, map) {
    for (const box of panel.querySelectorAll("input[data-layer]")) {
      const layer = window[box.dataset.layer];
      const show = () => { box.checked = map.hasLayer(layer); };
      box.addEventListener("change", () => { if (box.checked) map.addLayer(layer); else map.removeLayer(layer); });
      map.on("layeradd layerremove", (event) => { if (event.layer === layer) show(); });
      show();
    }
  }

  /* What lies outside the view is said, and one press shows it. */
  function beyond(map, layers, everything) {
    const chip = element("button", { type: "button", class: "ca-beyond", hidden: "" });
    map.getContainer().append(chip);
    L.DomEvent.disableClickPropagation(chip);
    const count = () => {
      const view = map.getBounds();
      let outside = 0;
      for (const layer of layers) {
        for (const place of layer.places) if (!view.contains(place.latlng)) outside += place.total;
      }
      const appears = chip.hidden !== (outside === 0);
      chip.hidden = outside === 0;
      chip.textContent = plural(outside, "report", "reports") + " outside this view · show all";
      if (appears) map.fire("atlas:controls"); // names keep clear of it
    };
    chip.addEventListener("click", () => map.fitBounds(everything, { ...BESIDE_CONTROLS, animate: false }));
    map.on("moveend", count);
    count();
  }

  /* Fit the view now, and again whenever the map changes size, until the reader moves it. */
  function fit(map, view) {
    let moved = false, fitting = false;
    const reset = () => {
      fitting = true;
      map.fitBounds(view, { ...BESIDE_CONTROLS, animate: false });
      fitting = false;
      moved = false;
    };
    map.on("dragstart zoomstart", () => { if (!fitting) moved = true; });
    new ResizeObserver(() => {
      map.invalidateSize({ animate: false });
      if (!moved && map.getSize().x) reset();
    }).observe(map.getContainer());
    return reset;
  }

  function home(map, reset) {
    const control = L.control({ position: "topleft" });
    control.onAdd = () => {
      const button = element("button", { type: "button", class: "ca-home", "aria-label": "Back to the opening view", title: "Back to the opening view" }, "⤢");
      button.addEventListener("click", reset);
      const box = element("div", { class: "leaflet-bar" }, button);
      L.DomEvent.disableClickPropagation(box);
      return box;
    };
    control.addTo(map);
  }

  atlas.page = function (map, id) {
    const data = atlas.read(id);
    const panel = document.querySelector(".ca-panel");
    const layers = data.sites.map((name) => window[name]);
    L.control.scale({ imperial: false, position: "bottomleft", maxWidth: 120 }).addTo(map);
    const reset = fit(map, data.view);
    home(map, reset);
    tabs(panel);
    switches(panel, map);
    reset();
    if (layers.length) { table(panel, layers, map); beyond(map, layers, data.everything); }
  };
})(window.CompoundAtlas);
