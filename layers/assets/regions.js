/* Owns: the areas that reports are known to lie in: what each says of the reports shown, its keys
   in the legend, the way from a report to its area, and the card of the reports of an area. */
"use strict";
(function (atlas) {
  const { say } = atlas;
  const NEAR = 9; // zoom: a small area is shown with what is around it
  const AIR = 24, SEEN = 80; // pixels: a smaller area would lie under its neighbours' symbols

  /* One layer of areas, and the layer of sites that lists their reports. */
  class Regions {
    constructor(group, layers) {
      this.group = group;
      this.areaOf = new Map(); // by row
      this.shown = [];
      this.ready = Promise.all([group.ready, atlas.unpack(group.data.rows), ...layers.map((layer) => layer.ready)])
        .then(([, columns]) => this._meet(columns, layers)).catch(() => {}); // the layer says what is wrong
    }

    _meet(columns, layers) {
      const ids = columns.column("site_id"), areas = columns.column("area").numbers(), named = new Map();
      for (let i = 0; i < ids.n; i++) named.set(ids.text(i), areas[i]);
      const owner = (layer) => {
        for (let row = layer.places.rows + layer.data.polar; row < layer.places.status.length; row++) {
          const area = atlas.reason(layer, row) === "area-only" ? named.get(layer.cards.text("site_id", row)) : undefined;
          if (area !== undefined) this.areaOf.set(row, area);
        }
        return this.areaOf.size > 0;
      };
      this.layer = layers.find(owner);
      if (!this.layer) return;
      this.bounds = this.group.shapes.map((parts) => L.latLngBounds(parts.flat(2)));
      this.group.data.now = (i) => ({ counts: this._counted(this.shown[i]), where: ["region-where", { n: this.shown[i].length }] });
      this.layer.on("atlas:shown", () => this.renew());
      this.group.on("atlas:ready", () => this.renew());
      document.addEventListener("atlas:language", () => this._keys());
      this.renew();
    }

    _counts(rows) {
      const counts = new Array(this.layer.statuses.length).fill(0);
      for (const row of rows) counts[this.layer.places.status[row]] += 1;
      return counts;
    }

    _counted(rows) { return atlas.byStatus(this._counts(rows), this.layer.statuses); }

    /* An area is drawn while a report in it is shown. */
    renew() {
      this.shown = this.bounds.map(() => []);
      for (const [row, area] of this.areaOf) if (this.layer.isShown(row)) this.shown[area].push(row);
      this.group.drawn.forEach((shape, i) => {
        shape.left = !this.shown[i].length;
        shape.opens = () => this.open(i);
      });
      this.group.retell();
      this._keys();
    }

    /* The legend's counts by level. */
    _keys() {
      const { keys } = this.group.data, mine = (part) => part.dataset.layers.split(" ").some((name) => window[name] === this.group);
      for (const part of [...document.querySelectorAll(".ca-part")].filter(mine)) {
        part.querySelectorAll("li").forEach((line, key) => {
          const rows = this.shown.filter((_, i) => keys[i] === key).flat();
          line.querySelector("small").textContent = rows.length ? this._counted(rows) : say("term-no-reports");
        });
      }
    }

    /* Shown reports whose areas are all outside a view. */
    outside(view) { return this.layer ? this.shown.reduce((sum, rows, i) => sum + (view.intersects(this.bounds[i]) ? 0 : rows.length), 0) : 0; }

    has(layer, row) { return layer === this.layer && this.areaOf.has(row); }

    title(i) {
      const [, { title }] = this.group.data.said[this.group.data.labels[i]];
      return say(...title);
    }

    /* Bring the area of a row into view and open its card. */
    show(row) {
      const { _map: map } = this.layer, area = this.areaOf.get(row), box = this.bounds[area];
      map.addLayer(this.group);
      map.getContainer().scrollIntoView({ block: "nearest" });
      this.layer._card.close();
      const { x, y } = map.getSize(), beside = x < 640 ? [AIR, 0.6 * y] : [342 + AIR, AIR]; // where the card is
      const room = { paddingTopLeft: [AIR, AIR], paddingBottomRight: beside, maxZoom: Math.max(NEAR, map.getZoom()) };
      const [a, b] = [box.getNorthWest(), box.getSouthEast()].map((corner) => map.latLngToContainerPoint(corner));
      if (!map.getBounds().contains(box) || a.distanceTo(b) < SEEN) map.fitBounds(box, { ...room, animate: false });
      this.open(area);
    }

    open(i) {
      const rows = this.shown[i], path = () => this.group.drawn[i] && this.group.drawn[i].getElement();
      const area = {
        title: () => this.title(i),
        mark: (open) => {
          if (!path()) return;
          path().classList.toggle("ca-active", open);
          if (open) this.group.drawn[i].closeTooltip();
        },
        focus: () => { if (path()) path().focus({ preventScroll: true }); },
      };
      this.layer._card.open({ area, rows, members: [null], counts: this._counts(rows), total: rows.length, latlng: this.bounds[i].getCenter(), radius: 0 });
    }
  }

  atlas.Regions = Regions;
})(window.CompoundAtlas);
