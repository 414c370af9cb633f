/* Owns: the symbol of a place (area by count, sectors by status) and the merging of symbols
   that would overlap on the screen. Knows nothing of maps. */
"use strict";
(function (atlas) {
  const { drawing } = atlas;
  const RIM = "#7c1b13";
  const SMALLEST = 5, LARGEST = 40;
  const MANY = 300, FINGER = 32; // among many places, symbols keep a finger's width apart

  const radius = (unit, count) => Math.min(LARGEST, Math.max(SMALLEST, unit * Math.sqrt(count)));

  /* Path of a sector between two shares of the turn, clockwise from the top. */
  function sector(centre, r, from, to) {
    const point = (share) => {
      const angle = 2 * Math.PI * share - Math.PI / 2;
      return (centre + r * Math.cos(angle)).toFixed(2) + " " + (centre + r * Math.sin(angle)).toFixed(2);
    };
    const large = to - from > 0.5 ? 1 : 0;
    return "M" + centre + " " + centre + "L" + point(from) +
      "A" + r + " " + r + " 0 " + large + " 1 " + point(to) + "Z";
  }

  /* counts: reports by status, in the order of the statuses; the last is "none of these". */
  function symbol(counts, statuses, unit) {
    const total = counts.reduce((a, b) => a + b, 0);
    const r = radius(unit, total);
    const size = Math.max(28, Math.ceil(2 * r + 6)); // a finger must find it
    const centre = size / 2;
    const parts = [drawing("circle", { cx: centre, cy: centre, r: r + 1.6, fill: "#fffdf9" })];
    let done = 0;
    counts.forEach((count, index) => {
      if (!count) return;
      const status = statuses[index];
      const look = { fill: status.colour, "data-status": status.key };
      if (count === total) parts.push(drawing("circle", { cx: centre, cy: centre, r, ...look }));
      else parts.push(drawing("path", { d: sector(centre, r, done / total, (done + count) / total), ...look }));
      done += count;
    });
    parts.push(drawing("circle", { cx: centre, cy: centre, r, fill: "none", stroke: RIM, "stroke-width": 1.6 }));
    if (total > 1) {
      const label = total < 10000 ? String(total) : Math.round(total / 1000) + "k";
      parts.push(drawing("text", { x: centre, y: centre + 4, class: "ca-count" }, label));
    }
    return { size, radius: r, node: drawing("svg", { width: size, height: size, "aria-hidden": "true" }, ...parts) };
  }

  /* places: [{x, y, counts, total}] in pixels. Returns groups of positions: the largest place
     of each group stays where it is, the others join it. The same places give the same groups. */
  function merge(places, unit) {
    const order = places.map((_, i) => i).sort((a, b) => places[b].total - places[a].total || a - b);
    const least = places.length > MANY ? FINGER : 0;
    const cell = 2 * LARGEST, grid = new Map(), groups = [];
    for (const index of order) {
      const place = places[index];
      const column = Math.floor(place.x / cell), row = Math.floor(place.y / cell);
      const own = radius(unit, place.total);
      let best = null, nearest = Infinity;
      for (let dx = -1; dx <= 1; dx++) for (let dy = -1; dy <= 1; dy++) {
        for (const group of grid.get((column + dx) + ":" + (row + dy)) || []) {
          const anchor = places[group.members[0]];
          const gap = Math.hypot(anchor.x - place.x, anchor.y - place.y);
          const apart = Math.max(least, 0.8 * (own + radius(unit, group.total)));
          if (gap < apart && gap < nearest) { best = group; nearest = gap; }
        }
      }
      if (best) {
        best.members.push(index);
        best.total += place.total;
        place.counts.forEach((count, i) => { best.counts[i] += count; });
        continue;
      }
      const group = { members: [index], total: place.total, counts: place.counts.slice() };
      groups.push(group);
      const key = column + ":" + row;
      if (grid.has(key)) grid.get(key).push(group); else grid.set(key, [group]);
    }
    return groups;
  }

  atlas.symbol = symbol;
  atlas.merge = merge;
})(window.CompoundAtlas);
