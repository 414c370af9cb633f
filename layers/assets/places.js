/* Owns: the places of a layer of sites, what of them matters for a view, and how those that are
   merged into a symbol are drawn. */
"use strict";
(function (atlas) {
  const FEW = 12; // places of one symbol, each with its hairline

  /* The places of a layer: where each is, and what is shown there. */
  class Places {
    constructor(columns, slots) {
      const numbers = (name) => columns.column(name).numbers();
      this.lon = numbers("lon");
      this.lat = numbers("lat");
      this.size = this.lon.length;
      this.slots = slots;
      this.status = new Uint16Array(numbers("status"));
      this.first = new Uint32Array(this.size + 1); // of each place's rows, which follow each other
      const reports = numbers("reports");
      for (let i = 0; i < this.size; i++) this.first[i + 1] = this.first[i] + reports[i];
      this.total = new Uint32Array(this.size);
      this.counts = new Uint32Array(this.size * slots);
      this.count(null);
    }

    /* Number of rows with a symbol; after them come those too near a pole, then those without
       a location. */
    get rows() { return this.first[this.size]; }

    count(shown) {
      this.total.fill(0);
      this.counts.fill(0);
      for (let i = 0; i < this.size; i++) {
        for (let row = this.first[i], end = this.first[i + 1]; row < end; row++) {
          if (shown && !shown[row]) continue;
          this.total[i] += 1;
          this.counts[i * this.slots + this.status[row]] += 1;
        }
      }
    }

    /* The place of a row: the last that begins at it or before. */
    of(row) {
      let low = 0, high = this.size;
      while (low + 1 < high) {
        const middle = (low + high) >> 1;
        if (this.first[middle] <= row) low = middle; else high = middle;
      }
      return low;
    }

    place(crs) {
      if (this.crs === crs) return;
      this.crs = crs;
      this.flat = atlas.plane(crs, this.lon, this.lat);
      this.extents = atlas.blocks(this.flat);
      this.spotOf = new Int32Array(this.size); // at the last drawing
    }
  }

  /* The places near enough to the view to matter for it, gathered by small cells of the world
     as this zoom shows it: a drag changes no cell. Each cell with a place is one spot. */
  const REACH = 100; // pixels around what is drawn, beyond which no symbol has a say in it
  function gather(places, map, box) {
    const { x, y } = places.flat, { total, counts, slots } = places, cell = atlas.CELL;
    const scale = map.options.crs.scale(map.getZoom()) / map.options.crs.scale(0), origin = map.getPixelOrigin();
    const left = Math.floor((box[0] - REACH + origin.x) / cell) * cell, top = Math.floor((box[1] - REACH + origin.y) / cell) * cell;
    const wide = Math.ceil((box[2] + REACH + origin.x - left) / cell), high = Math.ceil((box[3] + REACH + origin.y - top) / cell);
    const runs = atlas.runs(places.extents, places.size, [left / scale, top / scale, left / scale + wide * cell / scale, top / scale + high * cell / scale]);
    const cells = new Int32Array(wide * high).fill(-1), spotOf = places.spotOf, spots = [];
    for (let run = 0; run < runs.length; run += 2) {
      for (let i = runs[run], end = runs[run + 1]; i < end; i++) {
        spotOf[i] = -1;
        const column = (x[i] * scale - left) / cell, row = (y[i] * scale - top) / cell;
        if (!(column >= 0 && column < wide && row >= 0 && row < high) || !total[i]) continue;
        const at = (row | 0) * wide + (column | 0);
        let spot = spots[cells[at]];
        if (cells[at] < 0) {
          cells[at] = spots.length;
          spots.push(spot = { place: i, most: 0, total: 0, places: 0, counts: new Array(slots).fill(0), x: 0, y: 0, group: null });
        }
        spotOf[i] = cells[at];
        if (total[i] > spot.most) { spot.most = total[i]; spot.place = i; }
        spot.total += total[i];
        spot.places += 1;
        for (let slot = 0, from = i * slots; slot < slots; slot++) spot.counts[slot] += counts[from + slot];
      }
    }
    for (const spot of spots) {
      spot.x = x[spot.place] * scale - origin.x;
      spot.y = y[spot.place] * scale - origin.y;
    }
    const at = (i) => [x[i] * scale - origin.x, y[i] * scale - origin.y];
    const near = (i) => runs.some((from, k) => k % 2 === 0 && from <= i && i < runs[k + 1]);
    const groupOf = (i) => (near(i) && spotOf[i] >= 0 ? spots[spotOf[i]].group : null);
    return { spots, runs, spotOf, at, groupOf, scale, origin };
  }

  /* A dot for each place that has no symbol of its own, stamped pixel by pixel: there may be a
     million. */
  function pixel(colour, opacity) {
    const channels = [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));
    return new Uint32Array(new Uint8Array([...channels, opacity]).buffer)[0];
  }

  function paintDots({ pen, box, sharp }, { x, y }, { spots, runs, spotOf, scale, origin }) {
    const DOT = pixel(atlas.ink("rim"), 0x8c), image = pen.createImageData(pen.canvas.width, pen.canvas.height), dots = new Uint32Array(image.data.buffer);
    const side = Math.max(1, Math.round(1.4 * sharp)), across = image.width, wide = across - side, high = image.height - side;
    const fine = scale * sharp, left = (origin.x + box[0]) * sharp + side / 2, top = (origin.y + box[1]) * sharp + side / 2;
    const merged = Uint8Array.from(spots, (spot) => (spot.group.places > 1 ? 1 : 0));
    for (let run = 0; run < runs.length; run += 2) {
      for (let i = runs[run], end = runs[run + 1]; i < end; i++) {
        const column = x[i] * fine - left, row = y[i] * fine - top;
        if (!(column >= 0 && row >= 0 && column < wide && row < high) || spotOf[i] < 0 || !merged[spotOf[i]]) continue;
        const corner = (row | 0) * across + (column | 0);
        for (let dy = 0, at = corner; dy < side; dy++, at += across) for (let dx = 0; dx < side; dx++) dots[at + dx] = DOT;
      }
    }
    pen.putImageData(image, 0, 0);
  }

  /* List the places of small groups. */
  function listMembers({ spots, runs, spotOf }) {
    for (let run = 0; run < runs.length; run += 2) {
      for (let i = runs[run], end = runs[run + 1]; i < end; i++) {
        const group = spotOf[i] < 0 ? null : spots[spotOf[i]].group;
        if (group && group.places > 1 && group.places <= FEW) group.members.push(i);
      }
    }
  }

  function paintHairs(pen, groups, at) {
    pen.strokeStyle = pen.fillStyle = atlas.ink("rim");
    pen.lineWidth = 1;
    for (const group of groups) {
      for (const member of group.members) {
        if (member === group.place) continue;
        const [x, y] = at(member);
        pen.beginPath();
        pen.moveTo(group.x, group.y);
        pen.lineTo(x, y);
        pen.stroke();
        pen.beginPath();
        pen.arc(x, y, 2.2, 0, 2 * Math.PI);
        pen.fill();
      }
    }
  }

  Object.assign(atlas, { FEW, Places, gather, paintDots, listMembers, paintHairs });
})(window.CompoundAtlas);
