/* Owns: which rows are shown: what readers choose among values and dates, as masks of one byte
   for each row. Draws nothing. */
"use strict";
(function (atlas) {
  const { phrase } = atlas;
  const PARTED = "|"; // between several values of one row

  /* Each text of a column once, and the position of each row's text among them. */
  function distinct(column) {
    if (column.codes && column.words) return { codes: column.codes(), words: column.words() };
    const codes = new Uint32Array(column.n), words = [], found = new Map();
    for (let row = 0; row < column.n; row++) {
      const word = column.text(row);
      if (!found.has(word)) { found.set(word, words.length); words.push(word); }
      codes[row] = found.get(word);
    }
    return { codes, words };
  }

  /* A row is shown if one of its values is chosen; a row that states none has the value "". */
  class Category {
    /* parts: for each layer the codes of its rows, and the values of each code. */
    constructor(key, title, parts, about) {
      this.key = key;
      this.title = title;
      this.parts = parts;
      this.choices = new Map();
      for (const [value, total] of this._counts(null)) {
        if (total) this.choices.set(value, { value, total, shown: total, chosen: true, ...about(value) });
      }
      const rank = ({ value, order }) => order ?? (value === "" ? 2e9 : value === "unknown" ? 1e9 : 0);
      this.list = [...this.choices.values()].sort((a, b) => rank(a) - rank(b) || b.total - a.total || (a.value < b.value ? -1 : 1));
    }

    _counts(masks) {
      const counts = new Map();
      this.parts.forEach(({ codes, values }, k) => {
        const found = new Uint32Array(values.length), mask = masks && masks[k];
        if (mask) for (let row = 0; row < codes.length; row++) found[codes[row]] += mask[row];
        else for (let row = 0; row < codes.length; row++) found[codes[row]] += 1;
        values.forEach((some, code) => { for (const value of some) counts.set(value, (counts.get(value) || 0) + found[code]); });
      });
      return counts;
    }

    get narrows() { return this.list.some((choice) => !choice.chosen); }

    narrow(masks) {
      const chosen = (value) => this.choices.has(value) && this.choices.get(value).chosen;
      this.parts.forEach(({ codes, values }, k) => {
        const allowed = Uint8Array.from(values, (some) => (some.some(chosen) ? 1 : 0)), mask = masks[k];
        for (let row = 0; row < codes.length; row++) mask[row] &= allowed[codes[row]];
      });
    }

    count(masks) {
      const counts = this._counts(masks);
      for (const choice of this.list) choice.shown = counts.get(choice.value) || 0;
    }

    choose(wanted) { for (const choice of this.list) choice.chosen = wanted(choice.value); }
  }

  function statuses(layers) {
    const labels = new Map();
    for (const layer of layers) for (const { key, label, colour } of layer.statuses) {
      if (!labels.has(key)) labels.set(key, { label, colour, order: labels.size });
    }
    const parts = layers.map((layer) => ({ codes: layer.places.status, values: layer.statuses.map(({ key }) => [key]) }));
    return new Category("status", "Claim", parts, (value) => labels.get(value));
  }

  const valuesOf = (word) => [...new Set(word.split(PARTED).map((value) => value.trim()).filter(Boolean))];

  function category(name, layers) {
    const parts = layers.map((layer) => {
      const at = layer.data.filters.indexOf(name);
      const column = at < 0 ? null : layer.choices.column(String(at)) || layer.cards.column(name);
      if (!column) return { codes: new Uint8Array(layer.places.status.length), values: [[""]] };
      const { codes, words } = distinct(column);
      return { codes, values: words.map((word) => (valuesOf(word).length ? valuesOf(word) : [""])) };
    });
    const words = phrase(name), title = words.charAt(0).toUpperCase() + words.slice(1);
    return new Category(name, title, parts, (value) => ({ label: value === "" ? "not stated" : phrase(value) }));
  }

  /* The months that a date may mean, counted from the year 0, as [first, last]: a year is twelve
     of them. Nothing else is read as a date. */
  const DATE = /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[T ].*)?)?)?$/;
  function months(date) {
    const [whole, year, month, day] = DATE.exec(date) || [];
    if (!whole || (month && (month < 1 || month > 12)) || (day && (day < 1 || day > new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate()))) return null;
    return month ? [12 * year + Number(month) - 1, 12 * year + Number(month) - 1] : [12 * year, 12 * year + 11];
  }

  /* Reports by the time to which they may belong: from the first day that their first date may
     mean to the last day that their last date may mean. */
  const UNDATED = -1, MONTHLY = 240; // of a longer time, whole years are chosen
  class Period {
    constructor(layers) {
      this.spans = layers.map((layer) => Period._spans(layer));
      let least = Infinity, most = -Infinity;
      this.undated = { total: 0, shown: 0, chosen: true };
      for (const { from, to } of this.spans) {
        for (let row = 0; row < from.length; row++) {
          if (from[row] === UNDATED) { this.undated.total += 1; continue; }
          if (from[row] < least) least = from[row];
          if (to[row] > most) most = to[row];
        }
      }
      this.undated.shown = this.undated.total;
      this.known = least <= most;
      this.step = most - least < MONTHLY ? 1 : 12;
      this.least = Math.floor(least / this.step) * this.step;
      this.last = this.known ? Math.floor((most - this.least) / this.step) : 0; // position of the last step
      this.all();
    }

    static _spans(layer) {
      const n = layer.places.status.length, from = new Int32Array(n).fill(UNDATED), to = new Int32Array(n).fill(UNDATED);
      for (const name of ["first_reported", "last_reported"]) {
        const column = layer.cards.column(name);
        if (!column) continue;
        const { codes, words } = distinct(column), read = words.map(months);
        const lows = Int32Array.from(read, (span) => (span ? span[0] : UNDATED)), highs = Int32Array.from(read, (span) => (span ? span[1] : UNDATED));
        for (let row = 0; row < n; row++) {
          const low = lows[codes[row]];
          if (low === UNDATED) continue;
          if (from[row] === UNDATED || low < from[row]) from[row] = low;
          if (highs[codes[row]] > to[row]) to[row] = highs[codes[row]];
        }
      }
      return { from, to };
    }

    all() { this.from = 0; this.to = this.last; this.undated.chosen = true; }

    /* First and last month of a step. */
    monthOf(position, end = false) { return this.least + position * this.step + (end ? this.step - 1 : 0); }

    get narrows() { return this.from > 0 || this.to < this.last || !this.undated.chosen; }

    narrow(masks) {
      const start = this.monthOf(this.from), end = this.monthOf(this.to, true), undated = this.undated.chosen ? 1 : 0;
      this.spans.forEach(({ from, to }, k) => {
        const mask = masks[k];
        for (let row = 0; row < from.length; row++) mask[row] &= from[row] === UNDATED ? undated : from[row] <= end && to[row] >= start ? 1 : 0;
      });
    }

    count(masks) {
      this.undated.shown = masks ? this.spans.reduce((sum, { from }, k) => {
        for (let row = 0; row < from.length; row++) if (from[row] === UNDATED) sum += masks[k][row];
        return sum;
      }, 0) : this.undated.total;
    }
  }

  /* All that readers may choose. Listeners hear of each change after the layers show it. */
  class Filters {
    constructor(layers) {
      const names = [...new Set(layers.flatMap((layer) => layer.data.filters))];
      this.layers = layers;
      this.categories = names.map((name) => (name === "status" ? statuses(layers) : category(name, layers))).filter(({ list }) => list.length > 1);
      this.period = new Period(layers);
      this._listeners = [];
      this._waiting = null;
      this._sum(null);
      this.areas = this.sum.apart["area-only"] > 0;
    }

    /* What narrows the rows, if anything does. */
    get parts() { return this.period.known ? [...this.categories, this.period] : this.categories; }
    get narrows() { return this.parts.some((part) => part.narrows); }

    listen(hear) { this._listeners.push(hear); hear(); }

    all() {
      for (const some of this.categories) some.choose(() => true);
      this.period.all();
      this.change();
    }

    /* Several changes before the page has a moment are drawn once. */
    change() {
      if (!this._waiting) this._waiting = atlas.pause().then(() => { this._waiting = null; this._show(); });
      return this._waiting;
    }

    _show() {
      const masks = this.narrows ? this.layers.map((layer) => new Uint8Array(layer.places.status.length).fill(1)) : null;
      if (masks) for (const part of this.parts) if (part.narrows) part.narrow(masks);
      for (const part of this.parts) part.count(masks);
      this._sum(masks);
      const focused = document.activeElement; // a card that closes gives the focus to its symbol
      this.layers.forEach((layer, k) => layer.setShown(masks && masks[k]));
      if (focused && focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
      for (const hear of this._listeners) hear();
    }

    /* Rows shown, with a symbol and without. */
    _sum(masks) {
      const sum = this.sum = { all: 0, shown: 0, drawn: 0, polar: 0, nowhere: 0, apart: { "area-only": 0, withheld: 0 } };
      this.layers.forEach((layer, k) => {
        const n = layer.places.status.length, drawn = layer.places.rows, polar = drawn + layer.data.polar, mask = masks && masks[k];
        const within = (from, to) => {
          if (!mask) return to - from;
          let count = 0;
          for (let row = from; row < to; row++) count += mask[row];
          return count;
        };
        sum.all += n;
        sum.drawn += within(0, drawn);
        sum.polar += within(drawn, polar);
        sum.nowhere += within(polar, n);
        if (!layer.cards.column("release_scheme")) return;
        for (let row = polar; row < n; row++) {
          const why = atlas.reason(layer, row);
          if (why in sum.apart && (!mask || mask[row])) sum.apart[why] += 1;
        }
      });
      sum.shown = sum.drawn + sum.polar + sum.nowhere;
    }
  }

  Object.assign(atlas, { Filters, months, distinct });
})(window.CompoundAtlas);
