/* Owns: the symbol of a place (area by count, sectors by status) and the merging of symbols
   that would overlap on the screen. Knows nothing of maps. */
"use strict";
(function (atlas) {
  const LARGEST = 40;
  const TOUCHING = 0.8; // of the sum of two radii: nearer symbols are merged
  const MANY = 300, FINGER = 32; // among many places, symbols keep a finger's width apart
  // Two places in one cell are nearer than two of the smallest symbols may be, so the places
  // of a cell are one before any symbol is compared with another: 5.6 times root 2 is below 8.
  const CELL = 5.6;

  /* Area by count; but large enough for its number, and to be seen at all. layers/legend.py
     draws by the same rule. */
  const room = (count) => (count < 10 ? 5 : count < 100 ? 8.5 : count < 1000 ? 11.5 : 14.5);
  const radius = (unit, count) => Math.min(LARGEST, Math.max(room(count), unit * Math.sqrt(count)));
  const short = (count) => (count < 10000 ? String(count) : count < 1e6 ? Math.round(count / 1000) + "k" : (count / 1e6).toFixed(1) + "M");

  /* A unit at which a count has at most a given radius: smaller by steps, so that it changes
     seldom while the map is moved. */
  function unitFor(unit, count, most) {
    const excess = unit * Math.sqrt(count) / most;
    return excess <= 1 ? unit : unit / 2 ** (Math.ceil(4 * Math.log2(excess)) / 4);
  }

  function disc(pen, x, y, r) {
    pen.beginPath();
    pen.arc(x, y, r, 0, 2 * Math.PI);
  }

  /* counts: reports by status, in the order of the statuses; the last is "none of these". */
  function paint(pen, { x, y, counts, total }, statuses, unit) {
    const r = radius(unit, total);
    disc(pen, x, y, r + 2.4);
    pen.fillStyle = atlas.ink("paper");
    pen.fill();
    let from = -Math.PI / 2;
    counts.forEach((count, i) => {
      if (!count) return;
      const to = from + 2 * Math.PI * count / total;
      pen.beginPath();
      if (count < total) pen.moveTo(x, y);
      pen.arc(x, y, r, from, to);
      pen.fillStyle = atlas.shade(statuses[i].colour);
      pen.fill();
      pattern(pen, x, y, r, statuses[i].colour);
      from = to;
    });
    disc(pen, x, y, r);
    pen.lineWidth = 1.6;
    pen.strokeStyle = atlas.ink("rim");
    pen.stroke();
  }

  /* The quiet colours of the scale of statuses have a pattern, so that grey print tells them
     apart; layers/legend.py draws the same. */
  const PATTERNS = { "#8d8474": hatch, "#d9d5cc": dots }, STEP = 4.5;
  function pattern(pen, x, y, r, colour) {
    if (!PATTERNS[colour]) return;
    pen.save();
    pen.clip(); // to the sector just drawn
    pen.strokeStyle = pen.fillStyle = atlas.ink("ink");
    pen.lineWidth = 1.2;
    pen.beginPath();
    PATTERNS[colour](pen, x, y, r);
    pen.restore();
  }

  function hatch(pen, x, y, r) {
    for (let step = -2 * r; step <= 2 * r; step += STEP) {
      pen.moveTo(x + step - r, y + r);
      pen.lineTo(x + step + r, y - r);
    }
    pen.stroke();
  }

  function dots(pen, x, y, r) {
    const n = Math.ceil(r / STEP);
    for (let i = -n; i <= n; i++) for (let j = -n; j <= n; j++) pen.rect(x + (i + (j & 1) / 2) * STEP - 0.6, y + j * STEP - 0.6, 1.3, 1.3);
    pen.fill();
  }

  /* The largest first, so that none hides a smaller one, and numbers over all. */
  function paintAll(pen, groups, statuses, unit) {
    for (const group of groups) paint(pen, group, statuses, unit);
    pen.font = "700 11.5px " + atlas.ink("sans");
    pen.textAlign = "center";
    pen.lineJoin = "round";
    pen.lineWidth = 3.2;
    pen.strokeStyle = atlas.ink("paper");
    pen.fillStyle = atlas.ink("ink");
    for (const { x, y, total } of groups) {
      if (total < 2) continue;
      pen.strokeText(short(total), x, y + 4);
      pen.fillText(short(total), x, y + 4);
    }
  }

  /* spots: [{x, y, counts, total, place}] in pixels. Returns groups of them: the largest spot of
     each group stays where it is, the others join it. The same spots give the same groups. */
  function merge(spots, unit, apart) {
    const order = spots.slice().sort((a, b) => b.total - a.total || a.place - b.place);
    const cell = Math.max(2 * LARGEST * TOUCHING, apart), grid = new Map(), groups = [];
    const WIDE = 1 << 20; // columns of cells at the deepest zoom are fewer
    for (const spot of order) {
      const column = Math.floor(spot.x / cell), row = Math.floor(spot.y / cell);
      const own = radius(unit, spot.total);
      let best = null, nearest = Infinity;
      for (let dy = -1; dy <= 1; dy++) for (let dx = -1; dx <= 1; dx++) {
        const found = grid.get((row + dy) * WIDE + column + dx);
        if (!found) continue;
        for (const group of found) {
          const across = group.x - spot.x, down = group.y - spot.y, gap = Math.sqrt(across * across + down * down);
          if (gap < nearest && (gap < apart || gap < TOUCHING * (own + radius(unit, group.total)))) { best = group; nearest = gap; }
        }
      }
      if (best) {
        best.total += spot.total;
        best.places += spot.places;
        if (!best.second) best.second = spot;
        for (let i = 0; i < best.counts.length; i++) best.counts[i] += spot.counts[i];
        spot.group = best;
        continue;
      }
      const group = { place: spot.place, x: spot.x, y: spot.y, total: spot.total, places: spot.places, counts: Array.from(spot.counts), second: null, members: [] };
      spot.group = group;
      groups.push(group);
      const key = row * WIDE + column;
      if (grid.has(key)) grid.get(key).push(group); else grid.set(key, [group]);
    }
    return groups;
  }

  /* Groups, and the unit at which the largest of them has its true area. Many places are parted
     by a finger's width alone, so that no group swallows its neighbours as it grows. */
  const CROWDED = 24;
  function arrange(spots, unit, places) {
    const largest = (groups) => groups.reduce((most, group) => Math.max(most, group.total), 0);
    if (places > MANY) {
      const groups = merge(spots, 0, FINGER);
      return { groups, unit: unitFor(unit, largest(groups), CROWDED) };
    }
    const groups = merge(spots, unit, 0), fitting = unitFor(unit, largest(groups), LARGEST);
    return fitting === unit ? { groups, unit } : { groups: merge(spots, fitting, 0), unit: fitting };
  }

  /* Draw the legend's circles again for what is on the map now, as layers/legend.py drew them. */
  function sizeRow(svg, unit, largest) {
    const counts = [...new Set([1, Math.max(1, Math.round(largest / 3)), largest])];
    const radii = counts.map((count) => radius(unit, count)), high = 2 * radii.at(-1) + 4, parts = [];
    let x = 2;
    counts.forEach((count, i) => {
      x += radii[i] + 2;
      parts.push(atlas.drawing("circle", { cx: x, cy: high - 2 - radii[i], r: radii[i].toFixed(1), fill: "none", class: "ca-rim" }));
      parts.push(atlas.drawing("text", { x, y: high + 12 }, atlas.number(count)));
      x += radii[i] + 26;
    });
    svg.setAttribute("width", x);
    svg.setAttribute("height", high + 16);
    svg.replaceChildren(...parts);
  }

  Object.assign(atlas, { CELL, arrange, paintAll, sizeRow, symbolRadius: radius });
})(window.CompoundAtlas);
