/* Owns: the panes of our layers and the canvas on which they draw: sharp on any screen, moved
   with the map while it is dragged, scaled with it while it zooms. */
"use strict";
(function (atlas) {
  const { element } = atlas;

  /* Ground below, then discs, names, symbols: the same on anybody's map. */
  const PANES = { land: 201, water: 202, area: 210, line: 215, disc: 220, label: 595, symbol: 600 };
  const MARGIN = 0.25; // of the view on each side, so that a short drag shows no edge

  function pane(map, name) {
    const key = "ca-" + name;
    if (!map.getPane(key)) map.createPane(key).style.zIndex = PANES[name];
    return key;
  }

  /* Rectangles are [left, top, right, bottom] in the map's layer pixels. */
  function view(map, margin = 0) {
    const size = map.getSize(), { x, y } = map.containerPointToLayerPoint([0, 0]);
    const dx = Math.ceil(size.x * margin), dy = Math.ceil(size.y * margin);
    return [x - dx, y - dy, x + size.x + dx, y + size.y + dy];
  }

  function sheet(map, name) {
    let canvas = element("canvas", { class: "ca-sheet-canvas leaflet-zoom-animated", "aria-hidden": "true" });
    map.getPane(pane(map, name)).append(canvas);
    let corner = null, zoom = 0;
    const follow = (event) => {
      if (!corner) return;
      L.DomUtil.setTransform(canvas, map._latLngToNewLayerPoint(corner, event.zoom, event.center), map.getZoomScale(event.zoom, zoom));
    };
    map.on("zoomanim", follow);

    /* On paper, one that was emptied would be white instead of clear. */
    function renew() {
      const other = canvas.cloneNode();
      canvas.replaceWith(other);
      canvas = other;
    }

    return {
      /* An empty canvas over the view, in layer pixels. */
      fresh() {
        const box = view(map, MARGIN), sharp = atlas.sharpness();
        const [wide, high] = [box[2] - box[0], box[3] - box[1]];
        if (atlas.printing) renew();
        canvas.width = Math.round(wide * sharp);
        canvas.height = Math.round(high * sharp);
        canvas.style.width = wide + "px";
        canvas.style.height = high + "px";
        L.DomUtil.setPosition(canvas, L.point(box[0], box[1]));
        corner = map.layerPointToLatLng([box[0], box[1]]);
        zoom = map.getZoom();
        const pen = canvas.getContext("2d");
        pen.setTransform(sharp, 0, 0, sharp, -box[0] * sharp, -box[1] * sharp);
        return { pen, box, sharp };
      },
      remove() { map.off("zoomanim", follow); canvas.remove(); },
    };
  }

  /* Points at zoom 0, from which every zoom is a multiplication away. */
  function plane(crs, lon, lat) {
    const x = new Float64Array(lon.length), y = new Float64Array(lon.length), place = { lat: 0, lng: 0 };
    for (let i = 0; i < lon.length; i++) {
      place.lat = lat[i]; place.lng = lon[i];
      const point = crs.latLngToPoint(place, 0);
      x[i] = point.x; y[i] = point.y;
    }
    return { x, y };
  }

  /* Points come in the order of a curve through the plane: so many in a row are neighbours,
     and one look at their extent spares a look at each. */
  const BLOCK = 256;
  function blocks({ x, y }) {
    const n = Math.ceil(x.length / BLOCK), extents = new Float64Array(4 * n);
    for (let block = 0; block < n; block++) {
      let left = Infinity, top = Infinity, right = -Infinity, bottom = -Infinity;
      for (let i = block * BLOCK, end = Math.min(x.length, i + BLOCK); i < end; i++) {
        if (x[i] < left) left = x[i];
        if (x[i] > right) right = x[i];
        if (y[i] < top) top = y[i];
        if (y[i] > bottom) bottom = y[i];
      }
      extents.set([left, top, right, bottom], 4 * block);
    }
    return extents;
  }

  /* Runs [from, to, from, to, ...] of points, with all that lie within a box at zoom 0. */
  function runs(extents, n, [left, top, right, bottom]) {
    const found = [];
    for (let block = 0; block < extents.length / 4; block++) {
      const at = 4 * block, from = block * BLOCK;
      if (extents[at] > right || extents[at + 2] < left || extents[at + 1] > bottom || extents[at + 3] < top) continue;
      if (found.at(-1) === from) found.pop(); else found.push(from);
      found.push(Math.min(n, from + BLOCK));
    }
    return found;
  }

  /* The page goes on before the next slice of long work; timers would sleep in hidden tabs. */
  function pause() {
    return new Promise((done) => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => { channel.port1.close(); done(); };
      channel.port2.postMessage(0);
    });
  }

  Object.assign(atlas, { pane, view, sheet, plane, blocks, runs, pause });
})(window.CompoundAtlas);
