/* Owns: the Leaflet layers of areas, lines and names, and the keys of the legend.
   Each takes the id of a script tag with inert JSON and returns a Leaflet layer at once. */
"use strict";
(function (atlas) {
  const { read, element, drawing, text, pane, say } = atlas;

  /* [latitude, longitude] by shape, part and ring, from what `pack_shapes` in layers/payload.py wrote. */
  function decode(columns) {
    const [parts, rings, points, lat, lon] = columns.list.map((column) => column.numbers());
    const times = (n, make) => Array.from({ length: n }, make);
    let part = 0, ring = 0, at = 0;
    const point = () => [lat[at], lon[at++]];
    return times(parts.length, (_, shape) => times(parts[shape], () => times(rings[part++], () => times(points[ring++], point))));
  }

  /* A layer group that is filled when it has met a map, because panes belong to maps, and when
     its shapes have been read. Of those in one pane, the first added lies lowest: each waits. */
  const Filled = L.LayerGroup.extend({
    initialize: function (data, fill) {
      L.LayerGroup.prototype.initialize.call(this);
      this._fill = fill;
      this.data = data;
      this.drawn = [];
      this.ready = atlas.unpack(data.shapes).then((columns) => { this.shapes = decode(columns); data.shapes = null; });
    },
    onAdd: function (map) {
      L.LayerGroup.prototype.onAdd.call(this, map);
      if (!this._fill) return;
      const fill = this._fill;
      this._fill = null;
      map._atlasTurn = (map._atlasTurn || Promise.resolve()).then(() => this.ready).then(
        () => { fill(this, map); this.fire("atlas:ready"); },
        (problem) => complain(map, say("unreadable-layer", { problem: problem.message })));
    },
  });

  function complain(map, words) {
    const box = map.getContainer();
    if (!box.querySelector(".ca-problem")) box.append(element("p", { class: "ca-problem", role: "alert" }, words));
  }

  /* The coast is the outline of the land, but for straight cuts at the box where outlines end. */
  function coastOf(rings, [west, south, east, north]) {
    const cut = ([lat, lon], to) => (lat === to[0] && (lat === south || lat === north)) || (lon === to[1] && (lon === west || lon === east));
    const lines = [];
    for (const ring of rings) {
      let line = null;
      ring.forEach((to, i) => {
        const from = ring[(i || ring.length) - 1];
        if (cut(from, to)) line = null;
        else if (line) line.push(to);
        else lines.push((line = [from, to]));
      });
    }
    return lines;
  }

  const STYLES = {
    sea: { pane: "land", fillColor: "#dbe5ea", fillOpacity: 1, stroke: false },
    land: { pane: "land", fillColor: "#e9e6de", fillOpacity: 1, color: "#e9e6de", weight: 1 },
    province: { pane: "land", fillColor: "#f6f2e8", fillOpacity: 1, color: "#cfc7b6", weight: 0.8 },
    water: { pane: "water", fillColor: "#dbe5ea", fillOpacity: 1, stroke: false },
    area: { pane: "area", fillColor: "#a3271d", fillOpacity: 0.1, color: "#7c1b13", weight: 1 },
    cell: { pane: "area", fill: false, color: "#f6f2e8", weight: 0.7 },
    cluster: { pane: "area", fill: false, color: "#1d2330", weight: 1.4, dashArray: "5 4" },
    line: { pane: "line", color: "#0b5d7a", weight: 1.6 },
    border: { pane: "line", color: "#857b6b", weight: 1.4 },
    coast: { pane: "water", color: "#b9c6cc", weight: 0.8 },
    river: { pane: "water", color: "#c3d5dd", weight: 1.2 },
  };
  const CASED = { border: 1.6, line: 1.4 }; // pixels more: ground around a line, so that it shows on any colour

  /* Pixels of a ring that are in a view. */
  function pixels(ring, view) {
    const corners = L.PolyUtil.clipPolygon(ring, view) || [];
    return Math.abs(corners.reduce((sum, { x, y }, i) => {
      const next = corners[(i + 1) % corners.length];
      return sum + x * next.y - y * next.x;
    }, 0)) / 2;
  }

  /* Whether any of a shape is in view: of an area, the holes are none of it. */
  const SPECK = 0.5; // square pixels: less is left by the clipping itself
  function inView(shape, map) {
    const corner = map.containerPointToLayerPoint([0, 0]), view = L.bounds(corner, corner.add(map.getSize())), box = shape._rawPxBounds;
    if (!box || !view.intersects(box)) return false;
    if (view.contains(box)) return true;
    const rings = shape._rings.values();
    if (shape instanceof L.Polygon) {
      const area = (part) => part.reduce((sum, _, i) => sum + (i ? -1 : 1) * pixels(rings.next().value, view), 0);
      return shape.getLatLngs().reduce((sum, part) => sum + area(part), 0) > SPECK;
    }
    return [...rings].some((line) => line.some((to, i) => i && L.LineUtil.clipSegment(line[i - 1], to, view)));
  }

  /* What is not in view has no size: Tab leads to all that is, and to nothing else. */
  function reach(shape, map) {
    const path = shape.getElement();
    if (!path || !shape.getTooltip()) return;
    const there = !shape.left && inView(shape, map);
    path.style.display = shape.left ? "none" : "";
    path.setAttribute("tabindex", there ? "0" : "-1");
    path.setAttribute("role", shape.opens ? "button" : "img");
    if (there) path.removeAttribute("aria-hidden"); else path.setAttribute("aria-hidden", "true");
  }

  /* Name on pointing and on keyboard focus; the words are put in as text, and again in another
     language. A shape that `opens` something does so when it is pressed. */
  function describe(shape, map, tell) {
    const press = (event) => { if (shape.opens) { L.DomEvent.stop(event); shape.opens(); } };
    shape.bindTooltip(() => element("span", {}, text(tell())), { sticky: true, className: "ca-tip" });
    shape.on("click", press);
    shape.on("add", () => {
      const path = shape.getElement();
      if (!path) return;
      path.setAttribute("aria-label", tell());
      path.addEventListener("focus", () => shape.openTooltip());
      path.addEventListener("blur", () => shape.closeTooltip());
      path.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") press(event); });
      reach(shape, map);
    });
  }

  function retell(shape, map, words) {
    if (!shape.getTooltip()) return;
    const path = shape.getElement();
    if (path) path.setAttribute("aria-label", words);
    shape.closeTooltip();
    reach(shape, map);
  }

  /* What the areas or lines of a layer say, in the reader's language where it is known. */
  function teller(data) {
    const { labels, said = {}, labels_km: local = [], values = [] } = data;
    const name = (i) => {
      const words = labels[i] || "";
      if (Object.hasOwn(said, words)) {
        const [key, values] = said[words];
        return say(key, data.now ? { ...values, ...data.now(i) } : values);
      }
      return (atlas.language() === "km" && local[i]) || atlas.name(words);
    };
    return (i) => (labels[i] && values[i] ? say("named", { name: name(i), words: atlas.term(values[i]) }) : labels[i] ? name(i) : atlas.term(values[i] || ""));
  }

  /* The colour of each area, as the legend shows it; too little is known of one that is hatched. */
  const HATCHED_SHARE = 0.4; // as in layers/legend.py
  function fillOf(data, i) {
    const shade = data.graded ? atlas.gradedShade : atlas.shade, colour = shade(data.fills[i]);
    const opacity = data.opacities ? data.opacities[i] : data.opacity;
    if (!data.hatched.includes(i)) return { fillColor: colour, fillOpacity: opacity };
    return { fillColor: "url(#" + hatching(colour, opacity * HATCHED_SHARE) + ")", fillOpacity: 1 };
  }

  /* Lines over a pale colour, once in the page for each colour. */
  function hatching(colour, opacity) {
    const id = "ca-hatching-" + colour.slice(1) + "-" + Math.round(100 * opacity);
    if (document.getElementById(id)) return id;
    const square = drawing("rect", { width: 8, height: 8, fill: colour, "fill-opacity": opacity });
    const lines = drawing("path", { d: "M-1 1 1-1M-1 9 9-1M7 9 9 7", class: "ca-hatching" });
    const pattern = drawing("pattern", { id, width: 8, height: 8, patternUnits: "userSpaceOnUse" }, square, lines);
    document.body.append(drawing("svg", { class: "ca-patterns", width: 0, height: 0, "aria-hidden": "true" }, pattern));
    return id;
  }

  function shapes(id, make) {
    const data = read(id), filled = Boolean(data.fills && data.fills.length), tell = teller(data);
    return new Filled(data, (group, map) => {
      const look = STYLES[data.style] || STYLES.area, drawn = group.drawn;
      const under = (parts, more) => group.addLayer(make(parts, { ...look, ...more, interactive: false }));
      if (CASED[data.style]) for (const parts of group.shapes) under(parts, { pane: pane(map, look.pane), weight: look.weight + CASED[data.style], className: "ca-casing" });
      group.shapes.forEach((parts, i) => {
        const options = { ...look, pane: pane(map, filled ? "area" : look.pane), interactive: Boolean(tell(i)), className: "ca-" + data.style + (filled ? " ca-filled" : "") };
        const shape = make(parts, filled ? { ...options, fill: true, ...fillOf(data, i) } : options);
        if (options.interactive) describe(shape, map, () => tell(i));
        group.addLayer(shape);
        drawn.push(shape);
        if (data.ends) group.addLayer(L.polyline(coastOf(parts.flat(), data.ends), { ...STYLES.coast, pane: pane(map, STYLES.coast.pane), interactive: false, className: "ca-coast" }));
      });
      group.retell = () => drawn.forEach((shape, i) => retell(shape, map, tell(i)));
      document.addEventListener("atlas:language", group.retell);
      map.on("moveend viewreset", () => { if (map.hasLayer(group)) for (const shape of drawn) reach(shape, map); });
      if (filled) document.addEventListener("atlas:colours", () => drawn.forEach((shape, i) => shape.setStyle(fillOf(data, i))));
    });
  }

  atlas.areas = (id) => shapes(id, (rings, options) => L.polygon(rings, options));
  atlas.lines = (id) => shapes(id, (parts, options) => L.polyline(parts.flat(), options));

  /* Boxes are [left, top, right, bottom] in layer pixels. Symbols and names note where they
     stand on the map (`_atlasBoxes`), so that later names keep clear of them. */
  const overlap = (a, b) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
  const free = (box, taken) => !taken.some((other) => overlap(box, other));

  const pen = element("canvas").getContext("2d");
  const SIZES = { place: 13, town: 12, country: 12, "country-far": 10.5, province: 11, sea: 13 };
  const SPREADS = { country: 0.26, "country-far": 0.12 };
  function width(words, style) {
    const size = SIZES[style] || 12, spread = SPREADS[style] || 0;
    pen.font = (style === "place" || spread ? "600 " : "") + size + "px " + atlas.ink("sans");
    return pen.measureText(spread ? words.toUpperCase() : words).width * 1.08 + spread * size * words.length;
  }

  /* What stands over the map in its corners. */
  function controls(map) {
    const frame = map.getContainer().getBoundingClientRect(), corner = map.containerPointToLayerPoint([0, 0]);
    return [...map.getContainer().querySelectorAll(".leaflet-control, .ca-beyond")]
      .map((node) => node.getBoundingClientRect()).filter((box) => box.width)
      .map((box) => [box.left - frame.left + corner.x, box.top - frame.top + corner.y, box.right - frame.left + corner.x, box.bottom - frame.top + corner.y]);
  }

  function labelBox(map) {
    const box = element("div", { class: "ca-labels leaflet-zoom-hide", "aria-hidden": "true" });
    map.getPane(pane(map, "label")).append(box);
    return box;
  }

  function label(words, style, point) {
    const node = element("span", { class: "ca-label ca-label-" + style }, text(words));
    L.DomUtil.setPosition(node, L.point(point));
    return node;
  }

  const FAR = 5.5; // zoom below which countries are small
  const Labels = L.Layer.extend({
    initialize: function (data) { this._data = data; },
    onAdd: function (map) {
      this._box = labelBox(map);
      this._rename = () => this._draw();
      document.addEventListener("atlas:language", this._rename);
      this._draw();
    },
    onRemove: function () { document.removeEventListener("atlas:language", this._rename); this._box.remove(); },
    getEvents: function () { return { zoomend: this._draw, moveend: this._draw, "atlas:symbols": this._draw }; },
    _draw: function () {
      const map = this._map, zoom = map.getZoom(), view = map.getBounds();
      const size = map.getSize(), corner = map.containerPointToLayerPoint([0, 0]);
      const taken = (map._atlasBoxes || controls(map)).slice(), nodes = [], written = new Set();
      for (const [given, lat, lon, look, from] of this._data.labels) {
        const words = atlas.name(given);
        const style = look === "country" && zoom < FAR ? "country-far" : look;
        // An area has several places for its one name; a town is where it is.
        const key = style === "town" ? null : style + ":" + words;
        if (zoom < from || written.has(key) || !view.contains([lat, lon])) continue;
        const { x, y } = map.latLngToLayerPoint([lat, lon]);
        const wide = width(words, style), starts = style === "town" ? [x + 5, x - 5 - wide] : [x - wide / 2];
        const boxes = starts.map((left) => [left - 8, y - 9, left + wide + 8, y + 9]);
        const side = boxes.findIndex((box) => box[0] > corner.x && box[2] < corner.x + size.x && box[1] > corner.y && box[3] < corner.y + size.y && free(box, taken));
        if (side < 0) continue;
        taken.push(boxes[side]);
        if (key) written.add(key);
        nodes.push(label(words, style + (side ? " ca-west" : ""), [x, y]));
      }
      this._box.replaceChildren(...nodes);
    },
  });
  atlas.labels = (id) => new Labels(read(id));

  const FEW = 120; // symbols: among more, each name tries fewer places

  /* Where a name may begin: beside its symbol, beneath, above; then there, moved to either side. */
  function starts(x, y, r, wide, low, high, few) {
    const beside = [[x + r, y], [x - r - wide, y], [x - wide / 2, y + r + 8], [x - wide / 2, y - r - 8]];
    if (!few) return beside;
    const inside = Math.max(low + 4, Math.min(x - wide / 2, high - wide - 4));
    return [...beside, ...[inside, x - 0.4 * wide, x - 0.6 * wide, x - r, x + r - wide].flatMap((left) => [[left, y + r + 8], [left, y - r - 8]])];
  }

  /* Write the first of each group's words that has room, and return all that is taken. */
  function nameSymbols(holder, map, groups, wordings) {
    const nodes = [], [low, , high] = atlas.view(map), few = groups.length <= FEW;
    const taken = controls(map).concat(groups.map(({ x, y, radius }) => [x - radius - 2, y - radius - 2, x + radius + 2, y + radius + 2]));
    const room = (words, { x, y, radius }) => {
      const wide = width(words, "place");
      for (const [left, middle] of starts(x, y, radius + 3, wide, low, high, few)) {
        const box = [left, middle - 8, left + wide, middle + 8];
        if (left <= low || left + wide >= high || !free(box, taken)) continue;
        taken.push(box);
        return label(words, "place", [left, middle]);
      }
      return null;
    };
    for (const group of groups) {
      const choices = wordings(group);
      for (const words of few ? choices : choices.slice(-1)) {
        const node = room(words, group);
        if (node) { nodes.push(node); break; }
      }
    }
    holder.replaceChildren(...nodes);
    return taken;
  }

  Object.assign(atlas, { labelBox, nameSymbols });

  /* Keys of layers that are off are grey and say so, in step with the map. */
  atlas.keys = function (root, map) {
    const on = (part) => part.dataset.layers.split(" ").some((name) => !window[name] || map.hasLayer(window[name]));
    const show = () => {
      for (const part of root.querySelectorAll(".ca-part")) {
        const off = !on(part);
        if (part.classList.contains("ca-off") === off) continue;
        part.classList.toggle("ca-off", off);
        if (off) part.querySelector("h2").append(" ", element("span", { "data-word": "off" }, say("off")));
        else part.querySelector('[data-word="off"]').remove();
      }
    };
    map.on("layeradd layerremove", show);
    show();
  };

  /* The legend of a map without our page around it; on paper it stands beneath the map. */
  atlas.box = function (id, map) {
    const box = document.getElementById(id);
    const control = L.control({ position: "bottomright" });
    control.onAdd = () => { box.hidden = false; L.DomEvent.disableClickPropagation(box); return box; };
    control.addTo(map);
    atlas.keys(box, map);
    let corner = null;
    window.addEventListener("beforeprint", () => { corner = corner || box.parentNode; map.getContainer().after(box); });
    window.addEventListener("afterprint", () => { if (corner) corner.append(box); });
  };
})(window.CompoundAtlas);
