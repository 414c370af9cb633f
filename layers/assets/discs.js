/* Owns: the circles within which the reported places truly lie, to scale, on a canvas of their own.
   Their places come with them, or from a layer of sites, whose shown rows they follow. */
"use strict";
(function (atlas) {
  /* Circles to scale. Where latitudes stretch the map, a circle is an ellipse: its extents in
     both directions are exact. One smaller than a symbol's rim cannot be seen. */
  const EARTH_M = 6371008.8, SEEN = 4;
  // However many overlap, the map beneath stays readable: circles are filled together, once, and
  // rims grow fainter as they would cover more of where they are; too faint, they are left out.
  const FILLED = 0.09, RIM = 0.75, FAINTEST = 0.12, COVERED = 0.04, DASHES = 0.4, ROOM = 250 * 250;

  /* The pixels of the box around all circles, as far as it is in view. */
  function extent(seen, box) {
    const span = (i) => {
      const low = seen.reduce((least, disc) => Math.min(least, disc[i] - disc[i + 2]), Infinity);
      const high = seen.reduce((most, disc) => Math.max(most, disc[i] + disc[i + 2]), -Infinity);
      return Math.min(high, box[i + 2]) - Math.max(low, box[i]);
    };
    return span(0) * span(1);
  }

  const Discs = L.Layer.extend({
    initialize: function (data) {
      this.data = data;
      // The layer of sites that has the places is made by the same script, after this one.
      this.ready = (data.of ? atlas.pause().then(() => this._follow(window[data.of])) : atlas.unpack(data.discs).then((columns) => {
        const [lon, lat, radius] = columns.list.map((column) => column.numbers());
        this.discs = { lon, lat, radius };
        data.discs = null;
      })).then(() => this._draw());
    },

    /* One circle for each radius at a place of the sites, drawn while a row that has it is shown. */
    _follow: async function (sites) {
      await sites.ready.catch(() => {}); // the layer of sites says what is wrong
      if (!sites.cards) return;
      const { places, cards } = sites, metres = cards.column("radius").numbers();
      const lon = [], lat = [], radius = [], discOf = new Int32Array(places.rows).fill(-1);
      for (let place = 0; place < places.size; place++) {
        const from = radius.length;
        for (let row = places.first[place]; row < places.first[place + 1]; row++) {
          if (Number.isNaN(metres[row])) continue;
          let disc = radius.indexOf(metres[row], from);
          if (disc < 0) {
            disc = radius.length;
            radius.push(metres[row]);
            lon.push(places.lon[place]);
            lat.push(places.lat[place]);
          }
          discOf[row] = disc;
        }
      }
      this.discs = { lon: Float64Array.from(lon), lat: Float64Array.from(lat), radius: Float64Array.from(radius) };
      const show = () => {
        this.live = sites.shown && new Uint8Array(radius.length);
        if (this.live) for (let row = 0; row < discOf.length; row++) if (sites.shown[row] && discOf[row] >= 0) this.live[discOf[row]] = 1;
      };
      show();
      sites.on("atlas:shown", () => { show(); this._draw(); });
    },
    onAdd: function (map) {
      this._sheet = atlas.sheet(map, "disc");
      this._repaint = () => this._draw();
      document.addEventListener("atlas:colours", this._repaint);
      this._draw();
    },
    onRemove: function () { document.removeEventListener("atlas:colours", this._repaint); this._sheet.remove(); },
    getEvents: function () { return { moveend: this._draw }; },

    _place: function (crs) {
      if (this.crs === crs) return;
      this.crs = crs;
      const { lon, lat, radius } = this.discs, turns = Float64Array.from(radius, (metres) => metres / EARTH_M * 180 / Math.PI);
      const pole = (degrees) => Math.max(-89.9, Math.min(89.9, degrees));
      const tops = atlas.plane(crs, lon, lat.map((degrees, i) => pole(degrees + turns[i])));
      const bottoms = atlas.plane(crs, lon, lat.map((degrees, i) => pole(degrees - turns[i])));
      const easts = atlas.plane(crs, lon.map((degrees, i) => {
        const ratio = Math.sin(Math.min(90, turns[i]) * Math.PI / 180) / Math.cos(lat[i] * Math.PI / 180);
        return degrees + Math.asin(Math.min(1, ratio)) * 180 / Math.PI;
      }), lat);
      this.flat = { x: tops.x, y: tops.y.map((y, i) => (y + bottoms.y[i]) / 2) };
      this.high = tops.y.map((y, i) => Math.abs(bottoms.y[i] - y) / 2);
      this.wide = easts.x.map((x, i) => Math.abs(x - tops.x[i]));
    },

    _draw: async function () {
      const map = this._map;
      if (!map || !this.discs || !map.getSize().x) return;
      this._place(map.options.crs);
      const { pen, box } = this._sheet.fresh(), turn = this._turn = {};
      const scale = map.options.crs.scale(map.getZoom()) / map.options.crs.scale(0), origin = map.getPixelOrigin();
      const { x, y } = this.flat, seen = [];
      for (let i = 0; i < x.length; i++) {
        if (this.live && !this.live[i]) continue;
        const wide = this.wide[i] * scale, high = this.high[i] * scale, left = x[i] * scale - origin.x, top = y[i] * scale - origin.y;
        if (high >= SEEN && left + wide > box[0] && left - wide < box[2] && top + high > box[1] && top - high < box[3]) seen.push([left, top, wide, high]);
      }
      const colour = atlas.shade(this.data.colour), whole = Math.max(ROOM, extent(seen, box));
      const inked = seen.reduce((sum, [, , wide, high]) => sum + Math.PI * (wide + high) * DASHES, 0);
      const rim = RIM * Math.min(1, COVERED * whole / inked), rims = rim >= FAINTEST;
      const under = pen.canvas.cloneNode().getContext("2d"); // as large, and empty
      under.setTransform(pen.getTransform());
      under.fillStyle = pen.strokeStyle = colour;
      pen.setLineDash([2, 3]);
      pen.globalAlpha = rim;
      for (let from = 0, step = 500; from < seen.length; from += step) {
        if (from) await atlas.pause();
        if (turn !== this._turn || !this._map) return; // the map was moved meanwhile
        for (const [left, top, wide, high] of seen.slice(from, from + step)) {
          for (const some of rims ? [under, pen] : [under]) {
            some.beginPath();
            some.ellipse(left, top, wide, high, 0, 0, 2 * Math.PI);
          }
          under.fill();
          if (rims) pen.stroke();
        }
      }
      if (!seen.length || !under.canvas.height) return;
      pen.setTransform(1, 0, 0, 1, 0, 0);
      pen.globalAlpha = rims ? FILLED : 1.5 * FILLED;
      pen.drawImage(under.canvas, 0, 0);
    },
  });
  atlas.discs = (id) => new Discs(atlas.read(id));
})(window.CompoundAtlas);
