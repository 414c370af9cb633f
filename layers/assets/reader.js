/* Owns: what lets every reader in: the map's name and its summary in words, the language switch,
   the way round the map, still maps for those who want no motion, and the page on paper. */
"use strict";
(function (atlas) {
  const { element, say, term, name, tally } = atlas;

  /* Shown rows by a number that each row has: [[number, rows], ...]. */
  function countRows(layer, codes) {
    const shown = [];
    for (let row = 0; row < codes.length; row++) if (layer.isShown(row)) shown.push(codes[row]);
    return tally(shown);
  }

  function gather(layers, count) {
    const counts = new Map();
    for (const layer of layers) for (const [word, n] of count(layer)) if (word && n) counts.set(word, (counts.get(word) || 0) + n);
    return [...counts].sort((a, b) => b[1] - a[1]);
  }

  const claimsOf = (layer) => layer.shownCounts().map((n, i) => [layer.statuses[i].label, n]);
  function provincesOf(layer) {
    const column = layer.cards.column("admin1");
    return column && column.codes && column.words ? countRows(layer, column.codes()).map(([code, n]) => [column.words()[code], n]) : [];
  }

  function inAreas(layer) {
    if (!layer.cards.column("release_scheme")) return 0;
    let count = 0;
    for (let row = layer.places.rows; row < layer.places.status.length; row++) {
      if (layer.isShown(row) && atlas.reason(layer, row) === "area-only") count += 1;
    }
    return count;
  }

  /* "97 reports, 79 on the map. By claim: ... Most are in ..." Nothing but counts. */
  const MOST = 3;
  function summary(layers) {
    const claims = gather(layers, claimsOf), provinces = gather(layers, provincesOf).slice(0, MOST);
    const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);
    const reports = say("reports", { n: sum(claims.map(([, n]) => n)) });
    const shown = sum(layers.map((layer) => layer.places.total.reduce((a, b) => a + b, 0)));
    const list = (counts, words) => counts.map(([word, n]) => say("count", { word: words(word), n })).join(say("comma"));
    const areas = sum(layers.map(inAreas));
    const sentences = [areas ? say("summary-areas", { reports, shown, areas }) : say("summary", { reports, shown })];
    if (claims.length) sentences.push(say("summary-claims", { counts: list(claims, term) }));
    if (provinces.length > 1) sentences.push(say("summary-places", { counts: list(provinces, name) }));
    return sentences.join(" ") + " ";
  }

  function describe(map, layers) {
    const box = map.getContainer(), words = element("p", { id: "ca-summary", class: "ca-summary" });
    document.querySelector(".ca-header > div").append(words);
    box.setAttribute("role", "main");
    box.setAttribute("aria-describedby", "ca-summary");
    const entitle = () => box.setAttribute("aria-label", say("map", { title: document.title }));
    const tell = () => { if (layers.length && layers.every((layer) => layer.cards)) words.replaceChildren(summary(layers), element("span", { class: "ca-way" }, say("summary-way"))); };
    document.addEventListener("atlas:language", () => { entitle(); tell(); });
    for (const layer of layers) { layer.on("atlas:shown", tell); layer.ready.then(tell); }
    entitle();
  }

  /* Leaflet's own buttons. */
  function nameZoom(map) {
    for (const way of ["in", "out"]) {
      const button = map.getContainer().querySelector(".leaflet-control-zoom-" + way);
      if (button) button.dataset.label = "zoom-" + way;
    }
  }

  function skip(panel) {
    const way = document.querySelector(".ca-skip"), tab = panel.querySelector("[data-tab=table]");
    way.addEventListener("click", (event) => { event.preventDefault(); tab.click(); tab.focus(); });
  }

  function calm(map) {
    const still = matchMedia("(prefers-reduced-motion: reduce)"), zooms = map._zoomAnimated, pan = map.panBy;
    map.panBy = (offset, options) => pan.call(map, offset, still.matches ? { ...options, animate: false } : options);
    const apply = () => { map._zoomAnimated = zooms && !still.matches; map.options.inertia = !still.matches; };
    still.addEventListener("change", apply);
    apply();
  }

  /* On paper the map has a size of its own, its canvas is finer, its colours are light. */
  function printing(map, view) {
    const root = document.documentElement;
    let before = null;
    const redraw = () => { map.invalidateSize({ animate: false }); atlas.recolour(); };
    const begin = () => {
      if (before) return;
      before = { moved: view.elsewhere(), bounds: map.getBounds(), center: map.getCenter(), zoom: map.getZoom() };
      atlas.printing = true;
      root.classList.add("ca-printing");
      map.invalidateSize({ animate: false });
      if (before.moved) map.fitBounds(before.bounds, { animate: false }); else view.reset();
      redraw();
    };
    const end = () => {
      if (!before) return;
      root.classList.remove("ca-printing");
      map.invalidateSize({ animate: false });
      if (before.moved) view.go(before); else view.reset();
      atlas.printing = false;
      before = null;
      redraw();
    };
    window.addEventListener("beforeprint", begin);
    window.addEventListener("afterprint", end);
    matchMedia("print").addEventListener("change", (event) => (event.matches ? begin() : end()));
  }

  atlas.reader = function (map, layers, panel, view) {
    describe(map, layers);
    nameZoom(map);
    skip(panel);
    calm(map);
    printing(map, view);
    atlas.languageSwitch(document.querySelector(".ca-languages"));
  };
})(window.CompoundAtlas);
