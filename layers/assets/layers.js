/* Owns: the Leaflet layers (sites, discs, areas, lines, labels) and the legend box.
   Each takes the id of a script tag with inert JSON and returns a Leaflet layer at once. */
"use strict";
(function (atlas) {
  const { read, element, text, plural } = atlas;

  /* Ground below, then discs, hairlines, labels, symbols: the same on anybody's map. */
  const PANES = { land: 201, water: 202, area: 210, line: 215, disc: 220, hair: 590, label: 595, symbol: 600 };

  function pane(map, name) {
    const key = "ca-" + name;
    if (!map.getPane(key)) map.createPane(key).style.zIndex = PANES[name];
    return key;
  }

  /* Steps of 1e-5 degree back to [latitude, longitude]. */
  function decode(steps) {
    const points = [];
    let lat = 0, lon = 0;
    for (let i = 0; i < steps.length; i += 2) {
      lat += steps[i]; lon += steps[i + 1];
      points.push([lat / 1e5, lon / 1e5]);
    }
    return points;
  }

  /* A layer group that is filled when it first meets a map, because panes belong to maps. */
  const Filled = L.LayerGroup.extend({
    initialize: function (fill) { L.LayerGroup.prototype.initialize.call(this); this._fill = fill; },
    onAdd: function (map) {
      if (this._fill) { this._fill(this, map); this._fill = null; }
      L.LayerGroup.prototype.onAdd.call(this, map);
    },
  });

  const STYLES = {
    sea: { pane: "land", fillColor: "#dbe5ea", fillOpacity: 1, stroke: false },
    land: { pane: "land", fillColor: "#e9e6de", fillOpacity: 1, color: "#e9e6de", weight: 1 },
    province: { pane: "land", fillColor: "#f6f2e8", fillOpacity: 1, color: "#cfc7b6", weight: 0.8 },
    water: { pane: "water", fillColor: "#dbe5ea", fillOpacity: 1, stroke: false },
    area: { pane: "area", fillColor: "#a3271d", fillOpacity: 0.1, color: "#7c1b13", weight: 1 },
    cluster: { pane: "area", fill: false, color: "#1d2330", weight: 1.4, dashArray: "5 4" },
    line: { pane: "line", color: "#0b5d7a", weight: 1.6 },
    border: { pane: "line", color: "#857b6b", weight: 1.4 },
    coast: { pane: "water", color: "#b9c6cc", weight: 0.8 },
    river: { pane: "water", color: "#c3d5dd", weight: 1.2 },
  };

  /* Name on pointing and on keyboard focus; the words are put in as text. */
  function describe(shape, words) {
    if (!words) return;
    shape.bindTooltip(element("span", {}, text(words)), { sticky: true, className: "ca-tip" });
    shape.on("add", () => {
      const path = shape.getElement();
      if (!path) return;
      focusable(path, words);
      path.addEventListener("focus", () => shape.openTooltip());
      path.addEventListener("blur", () => shape.closeTooltip());
    });
  }

  function focusable(path, words) {
    path.setAttribute("tabindex", "0");
    path.setAttribute("role", "img");
    path.setAttribute("aria-label", words);
  }

  function shapes(id, make) {
    const data = read(id);
    return new Filled((group, map) => {
      const look = STYLES[data.style] || STYLES.area;
      data.shapes.forEach((parts, i) => {
        const words = [data.labels[i], (data.values || [])[i]].filter(Boolean).join(": ");
        const options = { ...look, pane: pane(map, look.pane), interactive: Boolean(words), className: "ca-" + data.style };
        if (data.fills && data.fills.length) {
          Object.assign(options, { pane: pane(map, "area"), fill: true, fillColor: data.fills[i], fillOpacity: 0.85 });
        }
        const shape = make(parts.map((rings) => rings.map(decode)), options);
        describe(shape, words);
        group.addLayer(shape);
      });
    });
  }

  atlas.areas = (id) => shapes(id, (rings, options) => L.polygon(rings, options));
  atlas.lines = (id) => shapes(id, (parts, options) => L.polyline(parts.flat(), options));

  atlas.discs = function (id) {
    const data = read(id);
    return new Filled((group, map) => {
      // One canvas for all circles, however many; it must not catch the pointer.
      const renderer = L.canvas({ pane: pane(map, "disc"), padding: 0.3 });
      map.getPane("ca-disc").classList.add("ca-discs");
      for (const [lat, lon, metres] of data.discs) {
        group.addLayer(L.circle([lat, lon], {
          radius: metres, renderer, pane: "ca-disc", interactive: false, color: data.colour,
          weight: 1, opacity: 0.5, dashArray: "2 3", fillColor: data.colour, fillOpacity: 0.06,
        }));
      }
    });
  };

  /* Boxes are [left, top, right, bottom] in layer pixels. Symbols and names note where they
     stand on the map (`_atlasBoxes`), so that later names keep clear of them. */
  const overlap = (a, b) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
  const free = (box, taken) => !taken.some((other) => overlap(box, other));

  const pen = element("canvas").getContext("2d");
  const SIZES = { place: 13, town: 12, country: 12, "country-far": 10.5, province: 11, sea: 13 };
  const SPREADS = { country: 0.26, "country-far": 0.12 };
  function width(words, style) {
    const size = SIZES[style] || 12, spread = SPREADS[style] || 0;
    pen.font = (style === "place" || spread ? "600 " : "") + size + "px system-ui, sans-serif";
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
    onAdd: function (map) { this._box = labelBox(map); this._draw(); },
    onRemove: function () { this._box.remove(); },
    getEvents: function () { return { zoomend: this._draw, moveend: this._draw, "atlas:symbols": this._draw }; },
    _draw: function () {
      const map = this._map, zoom = map.getZoom(), view = map.getBounds();
      const size = map.getSize(), corner = map.containerPointToLayerPoint([0, 0]);
      const taken = (map._atlasBoxes || controls(map)).slice(), nodes = [], written = new Set();
      for (const [words, lat, lon, look, from] of this._data.labels) {
        const style = look === "country" && zoom < FAR ? "country-far" : look;
        // An area has several places for its one name; a town is where it is.
        const key = style === "town" ? null : style + ":" + words;
        if (zoom < from || written.has(key) || !view.contains([lat, lon])) continue;
        const { x, y } = map.latLngToLayerPoint([lat, lon]);
        const wide = width(words, style), left = style === "town" ? x + 5 : x - wide / 2;
        const box = [left - 8, y - 9, left + wide + 3, y + 9];
        const whole = box[0] > corner.x && box[2] < corner.x + size.x && box[1] > corner.y && box[3] < corner.y + size.y;
        if (!whole || !free(box, taken)) continue;
        taken.push(box);
        if (key) written.add(key);
        nodes.push(label(words, style, [x, y]));
      }
      this._box.replaceChildren(...nodes);
    },
  });
  atlas.labels = (id) => new Labels(read(id));

  const MOST_HAIRS = 12;
  const SEVERAL = 3;
  const FEW = 120; // symbols: among more, each name tries fewer places

  /* What a symbol may be called, the longest first. A place that is merged into another keeps
     its name if it has several reports, and at least half as many. */
  function wordings(members) {
    const [first, second] = members, others = members.length - 1;
    if (!first.label) return [];
    if (!others) return [first.label];
    const short = [first.label + " and " + others + " more", first.label];
    if (!second.label || second.label === first.label || second.total < SEVERAL || 2 * second.total < first.total) return short;
    const both = others === 1 ? first.label + " and " + second.label : first.label + ", " + second.label + " and " + (others - 1) + " more";
    return [both, ...short];
  }

  /* Where a name may begin: beside its symbol, beneath, above; then there, moved to either side. */
  function starts(x, y, r, wide, low, high, few) {
    const beside = [[x + r, y], [x - r - wide, y], [x - wide / 2, y + r + 8], [x - wide / 2, y - r - 8]];
    if (!few) return beside;
    const inside = Math.max(low + 4, Math.min(x - wide / 2, high - wide - 4));
    return [...beside, ...[inside, x - 0.4 * wide, x - 0.6 * wide, x - r, x + r - wide].flatMap((left) => [[left, y + r + 8], [left, y - r - 8]])];
  }

  const Sites = L.Layer.extend({
    initialize: function (data) {
      this.data = data;
      const slots = data.statuses.length;
      data.responses = data.columns.state_response.some((word) => word && word !== "unknown");
      this.places = data.places.map(([lat, lon], i) => ({
        latlng: L.latLng(lat, lon), label: data.labels[i], rows: [], total: 0, counts: new Array(slots).fill(0),
      }));
      data.place.forEach((index, row) => {
        if (index < 0) return;
        const place = this.places[index], status = data.status[row];
        place.rows.push(row);
        place.total += 1;
        place.counts[status < 0 ? slots - 1 : status] += 1;
      });
    },
    onAdd: function (map) {
      this._symbols = L.layerGroup().addTo(map);
      this._hairs = L.layerGroup().addTo(map);
      this._names = labelBox(map);
      this._card = atlas.card(this, map);
      this._draw();
    },
    onRemove: function (map) {
      this._card.remove();
      this._symbols.remove();
      this._hairs.remove();
      this._names.remove();
      map._atlasBoxes = null;
      map.fire("atlas:symbols");
    },
    getEvents: function () { return { zoomend: this._draw, moveend: this._cull, "atlas:controls": this._cull }; },

    _draw: function () {
      const map = this._map, zoom = map.getZoom();
      for (const place of this.places) Object.assign(place, map.project(place.latlng, zoom));
      this._groups = atlas.merge(this.places, this.data.unit_px).map((group) => this._group(group));
      this._symbols.clearLayers();
      this._hairs.clearLayers();
      this._cull();
    },

    /* Only symbols in and around the view are in the page, however many places there are. */
    _cull: function () {
      const map = this._map, view = map.getBounds().pad(0.25), seen = [];
      for (const group of this._groups) {
        const inside = view.contains(group.latlng);
        if (inside) seen.push(group);
        if (inside === this._symbols.hasLayer(group.marker)) continue;
        if (!inside) { this._symbols.removeLayer(group.marker); continue; }
        this._symbols.addLayer(group.marker);
        if (!group.drawn) group.drawn = group.hairs(map).map((hair) => this._hairs.addLayer(hair));
      }
      map._atlasBoxes = this._label(seen);
      map.fire("atlas:symbols");
    },

    /* Name the places beside their symbols, the largest first, where there is room. */
    _label: function (groups) {
      const map = this._map, nodes = [];
      const size = map.getSize(), corner = map.containerPointToLayerPoint([0, 0]);
      const points = groups.map((group) => map.latLngToLayerPoint(group.latlng));
      const low = corner.x, high = corner.x + size.x, few = groups.length <= FEW;
      const taken = controls(map).concat(groups.map((group, i) => {
        const r = group.radius + 2, { x, y } = points[i];
        return [x - r, y - r, x + r, y + r];
      }));
      const room = (words, { x, y }, r) => {
        const wide = width(words, "place");
        for (const [left, middle] of starts(x, y, r, wide, low, high, few)) {
          const box = [left, middle - 8, left + wide, middle + 8];
          if (left <= low || left + wide >= high || !free(box, taken)) continue;
          taken.push(box);
          return label(words, "place", [left, middle]);
        }
        return null;
      };
      groups.forEach((group, i) => {
        for (const words of few ? group.words : group.words.slice(-1)) {
          const node = room(words, points[i], group.radius + 3);
          if (node) { nodes.push(node); break; }
        }
      });
      this._names.replaceChildren(...nodes);
      return taken;
    },

    _group: function (group) {
      const members = group.members.map((i) => this.places[i]), first = members[0];
      const drawn = atlas.symbol(group.counts, this.data.statuses, this.data.unit_px);
      const icon = L.divIcon({ html: drawn.node, className: "ca-symbol", iconSize: [drawn.size, drawn.size] });
      const marker = L.marker(first.latlng, { icon, pane: pane(this._map, "symbol"), riseOnHover: true });
      const entry = { latlng: first.latlng, marker, members, words: wordings(members), counts: group.counts, total: group.total, radius: drawn.radius };
      const look = { color: "#7c1b13", weight: 1, interactive: false };
      marker.on("add", () => this._wire(marker.getElement(), entry));
      // Lines to a few places explain a symbol; lines to hundreds would hide the map.
      const others = members.length <= MOST_HAIRS ? members.slice(1) : [];
      entry.hairs = (map) => others.flatMap((place) => [
        L.polyline([first.latlng, place.latlng], { ...look, pane: pane(map, "hair") }),
        L.circleMarker(place.latlng, { ...look, pane: pane(map, "hair"), radius: 2.2, fillColor: "#7c1b13", fillOpacity: 1, className: "ca-member" }),
      ]);
      return entry;
    },

    _wire: function (node, entry) {
      const title = atlas.placeTitle(entry);
      node.setAttribute("aria-label", title + ": " + plural(entry.total, "report", "reports"));
      node.setAttribute("role", "button");
      const open = (event) => { L.DomEvent.stop(event); this.open(entry); };
      node.addEventListener("click", open);
      node.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") open(event); });
    },

    open: function (entry) { this._card.open(entry); },

    /* Bring a row's place into view and open its card. */
    show: function (row) {
      const place = this.places[this.data.place[row]], map = this._map;
      const find = () => this._groups.find((group) => group.members.includes(place));
      this._card.close();
      map.getContainer().scrollIntoView({ block: "nearest" });
      if (!map.getBounds().contains(place.latlng)) map.setView(place.latlng, Math.max(map.getZoom(), 7), { animate: false });
      this.open(find());
    },
  });
  atlas.sites = (id) => new Sites(read(id));

  /* The legend of a map without our page around it. */
  atlas.box = function (id, map) {
    const box = document.getElementById(id);
    const control = L.control({ position: "bottomright" });
    control.onAdd = () => { box.hidden = false; L.DomEvent.disableClickPropagation(box); return box; };
    control.addTo(map);
  };
})(window.CompoundAtlas);
