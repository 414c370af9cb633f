/* Owns: the search over names of sites and places in any script, and its list of results. */
"use strict";
(function (atlas) {
  const { element, text, say, term } = atlas;
  const COLUMNS = ["name", "locality", "admin1"], MOST = 50;
  const END = "\u0000", OTHER = "\u0001"; // between texts, and before another name of the same place

  /* Accents of Latin letters, case, apostrophes and invisible characters make no difference.
     The vowels of Khmer and other scripts are marks too, and are kept. */
  const fold = (words) => words.normalize("NFKD").replace(/[\u0300-\u036f\u200b-\u200f\u2060\ufeff'\u2018\u2019\u02bc`]/g, "").toLowerCase()
    .replace(/\u0111/g, "d").replace(/[\s\u2010-\u2015_-]+/g, " ");

  /* Well-known places are found by their name in every language of the page. */
  const SAME = Object.entries(atlas.read("ca-strings")).filter(([key]) => key.startsWith("name-")).map(([, names]) => Object.values(names));
  const allNames = (word) => SAME.reduce((words, [first, ...others]) => (word.includes(first) ? [words, ...others].join(OTHER) : words), word);

  function joined(column) {
    if (column.whole) return column.whole();
    if (!column.codes || !column.words) return Array.from({ length: column.n }, (_, row) => column.text(row)).join(END);
    return (column.name === "name" ? column.words() : column.words().map(allNames)).join(END);
  }

  /* The texts of a column in one, each once where the page has them once. The page goes on
     while a million of them are read. */
  const SLICE = 1e6; // letters
  async function haystack(column) {
    const codes = column.codes && column.words ? column.codes() : null, n = codes ? column.words().length : column.n;
    const text = joined(column), parts = [];
    for (let at = 0, end = 0; at < text.length; at = end) {
      end = text.indexOf(END, at + SLICE);
      if (end < 0) end = text.length;
      parts.push(fold(text.slice(at, end)));
      if (end < text.length) await atlas.pause();
    }
    const all = END + parts.join("") + END, starts = new Uint32Array(n + 1);
    for (let i = 0, at = -1; i <= n; i++) starts[i] = (at = all.indexOf(END, at + 1)) + 1;
    return { codes, all, starts, n };
  }

  /* How well each text fits: 3 where it begins so, 2 where a word of it does, 1 anywhere else. */
  function fits({ all, starts, n }, wanted) {
    const found = new Uint8Array(n);
    let any = false;
    for (let at = all.indexOf(wanted), i = 0; at >= 0; at = all.indexOf(wanted, at + 1)) {
      if (at >= starts[Math.min(n, i + 1)]) { // the text in which it stands
        let high = n;
        while (i + 1 < high) { const middle = (i + high) >> 1; if (starts[middle] <= at) i = middle; else high = middle; }
      }
      const before = all[at - 1], fit = before === END || before === OTHER ? 3 : /[\s(,.\/]/.test(before) ? 2 : 1;
      if (fit > found[i]) found[i] = fit;
      any = true;
    }
    return any ? found : null;
  }

  /* The best rows first; among equally good ones, in the page's order. */
  function look(layers, stacks, wanted) {
    const best = Array.from({ length: 4 }, () => []);
    let shown = 0, hidden = 0;
    layers.forEach((layer, k) => {
      const parts = stacks[k].map((stack) => ({ codes: stack.codes, found: fits(stack, wanted) })).filter(({ found }) => found);
      if (!parts.length) return;
      for (let row = 0, n = layer.places.status.length; row < n; row++) {
        let fit = 0;
        for (const { codes, found } of parts) { const one = found[codes ? codes[row] : row]; if (one > fit) fit = one; }
        if (!fit) continue;
        if (!layer.isShown(row)) { hidden += 1; continue; }
        shown += 1;
        if (best[fit].length < MOST) best[fit].push({ layer, row });
      }
    });
    return { rows: [...best[3], ...best[2], ...best[1]].slice(0, MOST), shown, hidden };
  }

  function words(layer, row) {
    const column = (name) => layer.cards.text(name, row);
    const title = column("name") || column("locality") || column("admin1");
    const where = [column("locality"), column("admin1")].filter((word) => word && word !== title).join(", ");
    const claim = term(layer.statuses[layer.places.status[row]].label), nowhere = row < layer.places.rows ? "" : say(atlas.reason(layer, row));
    const about = [where, claim, column("first_reported") || column("last_reported"), nowhere].filter(Boolean);
    return [text(title), element("small", {}, ...about.flatMap((word, i) => (i ? [" · ", text(word)] : [text(word)])))];
  }

  atlas.search = function (panel, layers, choose) {
    const input = panel.querySelector("#ca-find"), list = panel.querySelector("#ca-found"), note = panel.querySelector(".ca-found-note");
    let stacks = null, reading = null, rows = [], active = -1;

    function close() {
      list.hidden = true;
      note.textContent = "";
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
      active = -1;
    }

    function activate(at) {
      const options = list.children;
      if (active >= 0) options[active].setAttribute("aria-selected", "false");
      active = (at + options.length) % options.length;
      options[active].setAttribute("aria-selected", "true");
      options[active].scrollIntoView({ block: "nearest" });
      input.setAttribute("aria-activedescendant", options[active].id);
    }

    function pick(at) {
      const { layer, row } = rows[at];
      close();
      choose(layer, row);
    }

    const columnsOf = (layer) => COLUMNS.map((name) => layer.cards.column(name)).filter(Boolean);
    const read = async () => {
      const found = [];
      for (const layer of layers) found.push(await Promise.all(columnsOf(layer).map(haystack)));
      stacks = found;
      renew();
    };

    function renew() {
      const wanted = fold(input.value).trim();
      close();
      if (!wanted) return;
      if (!stacks) {
        if (!reading) reading = read();
        return;
      }
      const found = look(layers, stacks, wanted);
      rows = found.rows;
      list.replaceChildren(...rows.map(({ layer, row }, i) => {
        const option = element("li", { role: "option", id: "ca-found-" + i, "aria-selected": "false" }, ...words(layer, row));
        option.addEventListener("click", () => pick(i));
        return option;
      }));
      list.hidden = !rows.length;
      list.scrollTop = 0;
      input.setAttribute("aria-expanded", String(Boolean(rows.length)));
      const counted = { n: rows.length, all: found.shown };
      const lines = [say(found.shown > rows.length ? "found-first" : found.shown ? "found-all" : "found-none", counted)];
      if (found.hidden) lines.push(say("found-hidden", { n: found.hidden }));
      note.textContent = lines.join(" ");
    }

    const invite = () => { input.placeholder = say("find"); };
    invite();
    document.addEventListener("atlas:language", () => { invite(); close(); });
    input.addEventListener("input", renew);
    input.addEventListener("focus", () => { if (!reading) reading = read(); else renew(); });
    input.addEventListener("blur", close);
    list.addEventListener("mousedown", (event) => event.preventDefault()); // the field keeps the focus
    input.addEventListener("keydown", (event) => {
      if (event.isComposing) return;
      const open = !list.hidden, step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (step) {
        event.preventDefault();
        if (!open) renew();
        if (!list.hidden) activate(active < 0 && step < 0 ? rows.length - 1 : active + step);
      } else if (event.key === "Enter" && open) {
        event.preventDefault();
        pick(Math.max(active, 0));
      } else if (event.key === "Escape") {
        event.preventDefault();
        event.stopPropagation();
        if (open || note.textContent) close(); else input.value = "";
      }
    });
  };
})(window.CompoundAtlas);
