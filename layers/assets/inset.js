/* Owns: the locator, a small map of the region with the view as a rectangle, from the outlines
   that the map itself draws. It only shows: no pointer, no key and no screen reader meets it. */
"use strict";
(function (atlas) {
  const { drawing, element } = atlas;
  const SIDE = 108, LEAST = 5; // pixels: its longer side, and a rectangle that can still be seen
  const WIDEST = 0.6; // share of the region: a view of more than that needs no locator

  /* Rings in the locator's pixels, without what could not be seen there. */
  function outline(shapes, place, frame) {
    let path = "";
    for (const ring of shapes.flat(2)) {
      const seen = L.PolyUtil.clipPolygon(L.LineUtil.simplify(ring.map(place), 0.6), frame, false);
      if (seen.length < 3) continue;
      const size = L.bounds(seen).getSize();
      if (size.x + size.y > 2) path += "M" + seen.map((point) => point.x.toFixed(1) + " " + point.y.toFixed(1)).join("L") + "Z";
    }
    return path;
  }

  /* Pixels of the map, from its upper left corner, where symbols stand. */
  function symbols(map) {
    const corner = map.containerPointToLayerPoint([0, 0]), found = [];
    map.eachLayer((layer) => {
      for (const { x, y, radius } of layer.groups || []) found.push([x - corner.x, y - corner.y, radius]);
    });
    return found;
  }

  atlas.locator = function (map, land, [west, south, east, north]) {
    const crs = map.options.crs, flat = (lat, lon) => crs.latLngToPoint(L.latLng(lat, lon), 0);
    const start = flat(north, west), size = flat(south, east).subtract(start), scale = SIDE / Math.max(size.x, size.y);
    if (size.x <= 0 || size.y <= 0) return; // all lies where no outlines are known
    const place = ([lat, lon]) => flat(lat, lon).subtract(start).multiplyBy(scale);
    const wide = size.x * scale, high = size.y * scale;
    const coast = drawing("path", { class: "ca-inset-land" }), view = drawing("rect", { class: "ca-inset-view" });
    const box = element("div", { class: "ca-inset", "aria-hidden": "true", hidden: "" },
      drawing("svg", { width: wide, height: high, viewBox: "0 0 " + wide + " " + high, focusable: "false" }, coast, view));
    const control = L.control({ position: "bottomright" });
    control.onAdd = () => box;
    control.addTo(map);

    function follow() {
      const bounds = map.getBounds(), a = place([bounds.getNorth(), bounds.getWest()]), b = place([bounds.getSouth(), bounds.getEast()]);
      const middle = a.add(b).divideBy(2), dx = Math.max(LEAST, b.x - a.x), dy = Math.max(LEAST, b.y - a.y);
      for (const [name, value] of Object.entries({ x: middle.x - dx / 2, y: middle.y - dy / 2, width: dx, height: dy })) view.setAttribute(name, value.toFixed(1));
      const inside = middle.x > 0 && middle.y > 0 && middle.x < wide && middle.y < high;
      return inside && dx < WIDEST * wide && dy < WIDEST * high;
    }

    /* In a lower corner without symbols: nothing reported may lie under it. */
    function settle() {
      if (!map.getSize().x) return;
      const before = box.hidden + control.getPosition(), needed = follow(), spots = needed ? symbols(map) : [];
      const frame = map.getContainer().getBoundingClientRect();
      box.hidden = !needed || !["bottomright", "bottomleft"].some((corner) => {
        if (control.getPosition() !== corner) control.setPosition(corner);
        box.hidden = false;
        const at = box.getBoundingClientRect();
        return !spots.some(([x, y, r]) => x + r > at.left - frame.left && x - r < at.right - frame.left && y + r > at.top - frame.top && y - r < at.bottom - frame.top);
      });
      if (box.hidden + control.getPosition() !== before) map.fire("atlas:controls"); // names keep clear of it
    }

    const draw = () => { coast.setAttribute("d", outline(land.shapes, place, L.bounds([0, 0], [wide, high]))); settle(); };
    land.ready.then(() => atlas.pause()).then(draw, () => {}); // the layer itself says what is wrong
    map.on("move", follow);
    map.on("moveend resize atlas:symbols", settle);
  };
})(window.CompoundAtlas);
