/* Owns: the layer of sites: which rows are shown, the symbols in view, their names, and the
   buttons that let pointer, finger, keyboard and screen reader reach them. */
"use strict";
(function (atlas) {
  const { element, say, view, FEW, Places } = atlas;
  const SPARSE = 120; // symbols: among more, there are no hairlines, and merged places are not named
  const NAMED = 300; // symbols: among more, no name would have room

  const Sites = L.Layer.extend({
    initialize: function (data) {
      this.data = data;
      this.statuses = data.statuses;
      this.shown = null;
      this.groups = [];
      this.places = null;
      this.cards = this.details = this.choices = null;
      this._names = new Map();
      this.ready = this._read();
    },

    /* Symbols are drawn as soon as they are read; what cards and table say comes after. */
    _read: async function () {
      try {
        this.places = new Places(await atlas.unpack(this.data.symbols), this.statuses.length);
        this._draw();
        await atlas.pause();
        this.cards = await atlas.unpack(this.data.cards);
        this.details = (await atlas.unpack(this.data.details)).list;
        this.choices = await atlas.unpack(this.data.choices);
        this.data.symbols = this.data.cards = this.data.details = this.data.choices = null; // read once, kept no longer
        const responses = this.cards.column("state_response");
        this.responses = Boolean(responses) && responses.words().some((word) => word && word !== "unknown");
        this._reach();
        this._label();
        this.fire("atlas:ready");
      } catch (problem) {
        this.problem = typeof DecompressionStream === "undefined"
          ? say("too-old") : say("unreadable", { problem: problem.message });
        this._complain();
        throw problem;
      }
    },

    _complain: function () {
      if (this._map && this.problem) this._map.getContainer().append(element("p", { class: "ca-problem", role: "alert" }, this.problem));
    },

    onAdd: function (map) {
      this._sheet = atlas.sheet(map, "symbol");
      this._buttons = element("div", { class: "ca-symbols leaflet-zoom-hide", role: "group" });
      map.getPane("ca-symbol").append(this._buttons);
      this._buttons.addEventListener("keydown", (event) => this._key(event));
      this._buttons.addEventListener("focusin", (event) => this._enter(event.target));
      this._nodes = new Map();
      this._labels = atlas.labelBox(map);
      this._card = atlas.card(this, map);
      this._reread = () => this._retell();
      this._repaint = () => { this._draw(); this._card.renew(); };
      document.addEventListener("atlas:language", this._reread);
      document.addEventListener("atlas:colours", this._repaint);
      this._entitle();
      this._complain();
      this._draw();
    },

    onRemove: function (map) {
      document.removeEventListener("atlas:language", this._reread);
      document.removeEventListener("atlas:colours", this._repaint);
      this._card.remove();
      this._sheet.remove();
      this._buttons.remove();
      this._labels.remove();
      this.groups = [];
      map._atlasBoxes = null;
      map.fire("atlas:symbols");
    },

    _entitle: function () { this._buttons.setAttribute("aria-label", say("symbols", { title: atlas.term(this.data.title) })); },

    /* The same in the words of another language. */
    _retell: function () {
      this._names.clear();
      this._entitle();
      this._reach();
      this._label();
      this._card.renew();
    },

    getEvents: function () { return { moveend: this._draw, "atlas:controls": this._label }; },

    /* Show only the rows of a mask (one byte for each row, in the page's order), or all. */
    setShown: function (mask) {
      this.shown = mask;
      this._names.clear();
      if (this._card) this._card.close();
      this.places.count(mask);
      this._draw();
      this.fire("atlas:shown");
    },

    isShown: function (row) { return !this.shown || Boolean(this.shown[row]); },

    /* Shown rows by status, in the order of the statuses, with a location or without. */
    shownCounts: function () {
      const counts = new Array(this.statuses.length).fill(0), status = this.places.status;
      for (let row = 0; row < status.length; row++) if (this.isShown(row)) counts[status[row]] += 1;
      return counts;
    },

    /* The shown rows in the order of their ids. */
    order: function () {
      const ids = this.cards.column("site_id"), n = this.places.status.length;
      const codes = ids && ids.codes ? ids.codes() : null, keys = [];
      for (let row = 0; row < n; row++) if (this.isShown(row)) keys.push((codes ? codes[row] : 0) * n + row);
      return Float64Array.from(keys).sort().map((key) => key % n);
    },

    latlng: function (place) { return L.latLng(this.places.lat[place], this.places.lon[place]); },

    /* Shown reports outside a view. */
    outside: function (bounds) {
      if (!this.places) return 0;
      const { lon, lat, total, size } = this.places;
      const [west, east, south, north] = [bounds.getWest(), bounds.getEast(), bounds.getSouth(), bounds.getNorth()];
      let count = 0;
      for (let i = 0; i < size; i++) if (lon[i] < west || lon[i] > east || lat[i] < south || lat[i] > north) count += total[i];
      return count;
    },

    _draw: function () {
      const map = this._map;
      if (!map || !this.places || !map.getSize().x) return;
      const sheet = this._sheet.fresh(), statuses = this.statuses;
      this.places.place(map.options.crs);
      this._gathered = atlas.gather(this.places, map, sheet.box);
      const { groups, unit } = atlas.arrange(this._gathered.spots, this.data.unit_px, this.places.size);
      this.groups = groups;
      this.unit = unit;
      groups.sort((a, b) => b.total - a.total || a.place - b.place);
      for (const group of groups) group.radius = atlas.symbolRadius(unit, group.total);
      // Lines to a few places explain a symbol; among many symbols they would hide the map.
      if (groups.length > SPARSE || groups.some((group) => group.places > FEW)) atlas.paintDots(sheet, this.places.flat, this._gathered);
      if (groups.length <= SPARSE) {
        atlas.listMembers(this._gathered);
        atlas.paintHairs(sheet.pen, groups, this._gathered.at);
      }
      atlas.paintAll(sheet.pen, groups, statuses, unit);
      this._reach();
      this._label();
      this._size();
      this.fire("atlas:drawn");
    },

    /* Where merged symbols hold more than any place does, the legend's circles are theirs. */
    _size: function () {
      const largest = Math.max(this.data.largest, ...this._seen.map((group) => group.total));
      const said = this.unit + ":" + largest;
      if (said === (this._said || this.data.unit_px + ":" + this.data.largest)) return;
      this._said = said;
      for (const row of document.querySelectorAll('.ca-sizes[data-largest="' + this.data.largest + '"]')) atlas.sizeRow(row, this.unit, largest);
    },

    /* Places of a group, those with most reports first. */
    membersOf: function (group) {
      const members = [], total = this.places.total;
      if (group.places === 1) return [group.place];
      if (group.members.length) members.push(...group.members);
      else {
        const { spots, runs, spotOf } = this._gathered;
        for (let run = 0; run < runs.length; run += 2) {
          for (let i = runs[run]; i < runs[run + 1]; i++) if (spotOf[i] >= 0 && spots[spotOf[i]].group === group) members.push(i);
        }
      }
      return members.sort((a, b) => total[b] - total[a] || a - b);
    },

    rowsOf: function (place) {
      const rows = [];
      for (let row = this.places.first[place]; row < this.places.first[place + 1]; row++) if (this.isShown(row)) rows.push(row);
      return rows;
    },

    nameOf: function (place) {
      if (!this.cards) return "";
      if (!this._names.has(place)) this._names.set(place, atlas.name(atlas.placeName(this.cards, this.rowsOf(place))));
      return this._names.get(place);
    },

    titleOf: function (group) {
      const others = group.places - 1;
      const name = this.nameOf(group.place) || say("unnamed");
      return others ? say("nearby", { name, n: others }) : name;
    },

    /* A transparent button over each symbol in view, in reading order. All are found by a screen
       reader and by pointer; of all, one is in the order of Tab, and arrows lead to the others. */
    _reach: function () {
      if (!this._map || !this._gathered) return;
      const box = view(this._map), nodes = new Map(), focused = document.activeElement;
      const seen = this.groups.filter(({ x, y }) => x > box[0] && x < box[2] && y > box[1] && y < box[3]);
      const line = (group) => Math.floor((group.y - box[1]) / 32);
      seen.sort((a, b) => line(a) - line(b) || a.x - b.x);
      this._seen = seen;
      for (const group of seen) {
        const node = this._nodes.get(group.place) || this._button(group.place);
        const side = Math.max(28, Math.ceil(2 * group.radius + 6)); // a finger must find it
        node.style.width = node.style.height = side + "px";
        L.DomUtil.setPosition(node, L.point(group.x - side / 2, group.y - side / 2));
        node.setAttribute("aria-label", say("symbol", { title: this.titleOf(group), reports: say("reports", { n: group.total }) }));
        node.classList.toggle("ca-active", group.place === this._active);
        nodes.set(group.place, node);
      }
      this._nodes = nodes;
      const had = this._buttons.contains(focused);
      this._buttons.replaceChildren(...nodes.values());
      this._rove(nodes.has(this._current) ? this._current : seen.length ? seen[0].place : null);
      if (had && this._current !== null) this.focus(this._current);
    },

    _button: function (place) {
      const node = element("button", { type: "button", class: "ca-symbol", tabindex: "-1", "data-place": place });
      node.addEventListener("click", (event) => {
        L.DomEvent.stop(event);
        if (this._map.dragging && this._map.dragging.moved() && event.detail) return; // the end of a drag
        this.open(this.groups.find((group) => group.place === place));
      });
      return node;
    },

    _rove: function (place) {
      const before = this._nodes.get(this._current), after = this._nodes.get(place);
      if (before) before.tabIndex = -1;
      if (after) after.tabIndex = 0;
      this._current = place;
    },

    _enter: function (node) { this._rove(Number(node.dataset.place)); },

    /* The symbol whose card is open keeps its ring. */
    activate: function (place) {
      this._active = place;
      for (const [other, node] of this._nodes) node.classList.toggle("ca-active", other === place);
    },

    focus: function (place) {
      const node = this._nodes.get(place);
      if (node) node.focus({ preventScroll: true });
      return Boolean(node);
    },

    _key: function (event) {
      const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] || [0, 0];
      const last = this._seen[event.key === "Home" ? 0 : this._seen.length - 1];
      if (!dx && !dy && event.key !== "Home" && event.key !== "End") return;
      L.DomEvent.stop(event);
      if (!dx && !dy) { this.focus(last.place); return; }
      const size = this._map.getSize();
      if (this._step(dx, dy)) return;
      this._map.panBy([dx * size.x / 2, dy * size.y / 2], { animate: false });
      this._step(dx, dy);
    },

    /* Go to the nearest symbol in a direction; what lies askew is farther. */
    _step: function (dx, dy) {
      const here = this._seen.find((group) => group.place === this._current);
      if (!here) return false;
      let next = null, least = Infinity;
      for (const group of this._seen) {
        const along = (group.x - here.x) * dx + (group.y - here.y) * dy, aside = Math.abs((group.x - here.x) * dy) + Math.abs((group.y - here.y) * dx);
        if (along > 0 && aside <= 2 * along && along + 2 * aside < least) { next = group; least = along + 2 * aside; }
      }
      return next !== null && this.focus(next.place);
    },

    /* Name the places beside their symbols, the largest first, where there is room. */
    _label: function () {
      if (!this._map || !this._seen) return;
      const groups = this._seen.slice().sort((a, b) => b.total - a.total || a.place - b.place);
      const few = groups.length <= SPARSE, some = groups.length <= NAMED;
      const words = (group) => (few || (some && group.places === 1) ? this._wordings(group) : []);
      this._map._atlasBoxes = atlas.nameSymbols(this._labels, this._map, groups, words);
      this._map.fire("atlas:symbols");
    },

    /* What a symbol may be called, the longest first. A place that is merged into another keeps
       its name if it has several reports, and at least half as many. */
    _wordings: function (group) {
      const first = this.nameOf(group.place), others = group.places - 1;
      if (!first || !others) return first ? [first] : [];
      const second = group.places <= FEW ? this.membersOf(group)[1] : group.second && group.second.place;
      const short = [say("and-more", { name: first, n: others }), first];
      if (typeof second !== "number") return short;
      const name = this.nameOf(second), reports = this.places.total[second];
      if (!name || name === first || reports < 3 || 2 * reports < this.places.total[group.place]) return short;
      const both = { name: first, other: name, n: others - 1 };
      return [say(others === 1 ? "and" : "and-and-more", both), ...short];
    },

    open: function (group) {
      if (!group || !this.cards) return;
      this._rove(group.place);
      this._card.open({ ...group, latlng: this.latlng(group.place), members: this.membersOf(group) });
    },

    /* Bring a row's place into view and open its card. */
    show: function (row) {
      const place = this.places.of(row), map = this._map, latlng = this.latlng(place);
      this._card.close();
      map.getContainer().scrollIntoView({ block: "nearest" });
      if (!map.getBounds().contains(latlng)) map.setView(latlng, Math.max(map.getZoom(), 7), { animate: false });
      this.open(this._gathered.groupOf(place));
    },
  });

  atlas.sites = (id) => new Sites(atlas.read(id));
})(window.CompoundAtlas);
