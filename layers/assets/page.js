/* Owns: the page around the map: opening view, layer switches, tabs, table, scale bar. */
"use strict";
(function (atlas) {
  const { element, text, link, phrase, distance, say, term } = atlas;
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
      panel.scrollTop = 0;
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

  /* Where a press on a row leads: to its symbol, to its area, or nowhere. */
  function wayTo(layer, i, map, regions) {
    if (i < layer.places.rows) return () => { map.addLayer(layer); layer.show(i); };
    const some = regions.find((one) => one.has(layer, i));
    return some ? () => { map.addLayer(layer); some.show(i); } : null;
  }

  function row(layer, i, map, regions) {
    const column = (name) => layer.cards.text(name, i);
    const title = column("name") || column("locality") || column("admin1") || column("site_id");
    const located = i < layer.places.rows, way = wayTo(layer, i, map, regions);
    const name = way ? element("button", { type: "button", class: "ca-link" }, text(title)) : text(title);
    if (way) name.addEventListener("click", way);
    const where = [column("admin1"), column("country")].filter(Boolean).join(", ");
    const radius = layer.cards.column("radius").numbers()[i], response = layer.responses ? term(phrase(column("state_response"))) : "";
    const precision = Number.isNaN(radius) ? say("no-radius") : say("within", { distance: distance(radius) });
    const cell = (...content) => element("td", { role: "cell" }, ...content);
    return element("tr", { "data-row": i, role: "row" },
      cell(name, element("small", {}, text(where))),
      cell(term(layer.statuses[layer.places.status[i]].label), element("small", {}, response)),
      cell(located ? precision : say(atlas.reason(layer, i))),
      cell(link(column("source_url"), column("source")) || say("no-link"), element("small", {}, column("source_date"))));
  }

  /* Rows are written when the table is first opened, a hundred at a time, and again when others
     are shown. */
  function table(panel, layers, map, regions) {
    const body = panel.querySelector(".ca-table tbody"), more = panel.querySelector(".ca-more");
    let orders = null, written = 0;
    const left = () => orders.reduce((sum, order) => sum + order.length, 0) - written;
    const extend = () => {
      let skip = written;
      const fresh = [];
      layers.forEach((layer, k) => {
        const wanted = orders[k].subarray(skip, skip + PAGE_ROWS - fresh.length);
        skip = Math.max(0, skip - orders[k].length);
        for (const i of wanted) fresh.push(row(layer, i, map, regions));
        for (const line of fresh) line.dataset.layer = line.dataset.layer || k;
      });
      body.append(...fresh);
      written += fresh.length;
      more.hidden = !left();
      more.textContent = say("more-rows", { n: left() });
    };
    const start = () => {
      orders = layers.map((layer) => layer.order());
      written = 0;
      body.replaceChildren();
      extend();
    };
    const renew = () => { if (panel.dataset.tab === "table") start(); else orders = null; };
    const open = () => { if (panel.dataset.tab === "table" && !orders) Promise.all([...layers, ...regions].map((part) => part.ready)).then(renew); };
    panel.addEventListener("atlas:tab", open);
    more.addEventListener("click", extend);
    for (const layer of layers) layer.on("atlas:shown", renew);
    document.addEventListener("atlas:language", renew);

    /* Open the table with a row that has no place on the map. */
    return (layer, i) => {
      if (!orders) start();
      panel.querySelector("#ca-tab-table").click();
      const at = layers.slice(0, layers.indexOf(layer)).reduce((sum, _, k) => sum + orders[k].length, orders[layers.indexOf(layer)].indexOf(i));
      if (at >= written) { // of a long table, the rows before it are left out until it is opened again
        if (at > 20 * PAGE_ROWS) body.replaceChildren();
        written = at > 20 * PAGE_ROWS ? at : written;
        while (written <= at) extend();
      }
      const line = [...body.children].find((node) => Number(node.dataset.row) === i && node.dataset.layer === String(layers.indexOf(layer)));
      line.tabIndex = -1;
      line.focus();
    };
  }

  function switches(panel, map) {
    const said = panel.querySelector(".ca-said");
    for (const box of panel.querySelectorAll("input[data-layer]")) {
      const layer = window[box.dataset.layer];
      const show = () => { box.checked = map.hasLayer(layer); };
      box.addEventListener("change", () => { if (box.checked) map.addLayer(layer); else map.removeLayer(layer); });
      const title = box.parentNode.querySelector("bdi");
      map.on("layeradd layerremove", (event) => {
        if (event.layer !== layer) return;
        show();
        said.textContent = say(box.checked ? "layer-on" : "layer-off", { layer: title.textContent });
      });
      show();
    }
    atlas.keys(panel, map);
  }

  /* What lies outside the view is said, and one press shows it. */
  function beyond(map, layers, regions, everything) {
    const said = element("span", {});
    const chip = element("button", { type: "button", class: "ca-beyond", hidden: "" }, said, element("span", { class: "ca-act" }, " · ", element("span", { "data-word": "show-all" }, say("show-all"))));
    map.getContainer().append(chip);
    L.DomEvent.disableClickPropagation(chip);
    const count = () => {
      const view = map.getBounds();
      const outside = [...layers, ...regions].reduce((sum, part) => sum + part.outside(view), 0);
      const appears = chip.hidden !== (outside === 0);
      chip.hidden = outside === 0;
      said.textContent = say("outside", { n: outside });
      if (appears) map.fire("atlas:controls"); // names keep clear of it
    };
    chip.addEventListener("click", () => map.fitBounds(everything, { ...BESIDE_CONTROLS, animate: false }));
    map.on("moveend", count);
    document.addEventListener("atlas:language", count);
    for (const layer of layers) layer.on("atlas:shown", count);
    for (const part of [...layers, ...regions]) part.ready.then(count, () => {});
  }

  /* Fit the view now, and again whenever the map changes size, until the reader moves it. */
  function fit(map, view) {
    let moved = false, fitting = false, opened = null;
    const reset = () => {
      fitting = true;
      map.fitBounds(view, { ...BESIDE_CONTROLS, animate: false });
      fitting = false;
      moved = false;
      opened = { center: map.getCenter(), zoom: map.getZoom() };
    };
    map.on("dragstart zoomstart", () => { if (!fitting && !atlas.printing) moved = true; });
    new ResizeObserver(() => {
      map.invalidateSize({ animate: false });
      if (!moved && map.getSize().x) reset();
    }).observe(map.getContainer());
    const go = ({ center, zoom }) => {
      map.setView(center, Math.max(map.getMinZoom(), Math.min(map.getMaxZoom(), zoom)), { animate: false });
      moved = true;
    };
    /* Whether the reader looks at anything but the opening view. */
    const elsewhere = () => map.getZoom() !== opened.zoom || map.project(map.getCenter()).distanceTo(map.project(opened.center)) > 2;
    return { reset, go, elsewhere };
  }

  function home(map, reset) {
    const control = L.control({ position: "topleft" });
    control.onAdd = () => {
      const button = element("button", { type: "button", class: "ca-home", "data-label": "home", "aria-label": atlas.say("home"), title: atlas.say("home") }, "⤢");
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
    const view = fit(map, data.view), asked = atlas.askedView();
    home(map, view.reset);
    tabs(panel);
    switches(panel, map);
    view.reset();
    atlas.reader(map, layers, panel, view);
    if (asked) view.go(asked);
    if (layers.length) work(map, panel, layers, view, data);
  };

  /* What needs the rows begins when they are read. */
  function work(map, panel, layers, view, { everything, areas }) {
    const regions = areas.map((name) => new atlas.Regions(window[name], layers));
    const reveal = table(panel, layers, map, regions), tools = document.querySelector(".ca-tools");
    beyond(map, layers, regions, everything);
    Promise.all([...layers, ...regions].map((part) => part.ready)).then(() => {
      const filters = new atlas.Filters(layers);
      atlas.choosing(panel, filters);
      atlas.search(panel, layers, (layer, i) => {
        const way = wayTo(layer, i, map, regions);
        if (way) way(); else reveal(layer, i);
      });
      atlas.sharing(tools, atlas.permalink(map, filters, view));
      atlas.downloads(tools, layers, filters);
    }, () => {}); // the layer has said why
  }
})(window.CompoundAtlas);
