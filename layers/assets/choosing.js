/* Owns: the controls of the filters, with live counts, and the line that says how many rows are
   shown. */
"use strict";
(function (atlas) {
  const { element, text, number, say, term } = atlas;

  const counted = ({ shown, total }) => (shown === total ? number(total) : say("of-all", { n: shown, all: total }));

  function box(choice, label, changed) {
    const input = element("input", { type: "checkbox" }), count = element("span", { class: "ca-count" });
    count.style.minWidth = say("of-all", { n: choice.total, all: choice.total }).length + "ch"; // the label beside it never moves
    input.addEventListener("change", () => { choice.chosen = input.checked; changed(); });
    const swatch = choice.colour ? element("span", { class: "ca-swatch", "aria-hidden": "true" }) : null;
    if (swatch) swatch.style.background = atlas.shade(choice.colour);
    return {
      node: element("label", {}, input, swatch, text(label), count),
      tell() { input.checked = choice.chosen; count.textContent = counted(choice); },
    };
  }

  function category(some, filters) {
    const boxes = some.list.map((choice) => box(choice, term(choice.label), () => filters.change()));
    const every = (key, chosen) => {
      const label = say("choose-of", { title: term(some.title), choice: say(key) });
      const button = element("button", { type: "button", class: "ca-link", "aria-label": label }, say(key));
      button.addEventListener("click", () => { some.choose(() => chosen); filters.change(); });
      return button;
    };
    const node = element("fieldset", { class: "ca-choice", "data-filter": some.key },
      element("legend", {}, text(term(some.title))),
      element("div", { class: "ca-every" }, every("choose-all", true), every("choose-none", false)),
      ...boxes.map((one) => one.node));
    return { node, tell() { for (const one of boxes) one.tell(); } };
  }

  function monthWords(month, step) {
    const year = String(Math.floor(month / 12)).padStart(4, "0");
    return step === 12 ? year : say("dates-month", { month: say("months").split(",")[month % 12], year });
  }

  /* Two sliders, of which neither passes the other. */
  function period(some, filters) {
    const slider = (end) => {
      const input = element("input", { type: "range", min: 0, max: some.last, step: 1, "data-end": end }), words = element("span", {});
      input.addEventListener("input", () => {
        some[end] = Number(input.value);
        if (some.from > some.to) some[end === "from" ? "to" : "from"] = some[end];
        for (const part of parts) part.tell(); // at once: the rows follow
        filters.change();
      });
      return {
        node: element("label", { class: "ca-slide" }, words, input),
        tell() {
          const date = monthWords(some.monthOf(some[end], end === "to"), some.step);
          input.value = some[end];
          input.setAttribute("aria-valuetext", date);
          words.textContent = say("dates-" + end, { date });
        },
      };
    };
    const parts = [slider("from"), slider("to")];
    if (some.undated.total) parts.push(box(some.undated, term("date not known"), () => filters.change()));
    const node = element("fieldset", { class: "ca-choice", "data-filter": "dates" },
      element("legend", {}, say("dates")),
      element("p", { class: "ca-soft" }, say("dates-note")),
      ...parts.map((part) => part.node));
    return { node, tell() { for (const part of parts) part.tell(); } };
  }

  /* What is said of all rows, wherever it stands. */
  function line(panel, filters) {
    const state = panel.querySelector(".ca-state"), words = state.querySelector("[role=status]"), all = state.querySelector("button");
    all.addEventListener("click", () => {
      panel.querySelector("[role=tab][aria-selected=true]").focus(); // the button goes
      filters.all();
    });
    return () => {
      const { all: n, shown, drawn: placed, polar, nowhere } = filters.sum;
      words.textContent = filters.narrows ? say("state-some", { n: shown, all: n }) : say("state-all", { n });
      all.hidden = !filters.narrows;
      note("shown", { n: placed, missing: nowhere });
      note("apart", { counts: apartWords(filters.sum) });
      note("polar", { n: polar });
      const follow = filters.areas ? "all-counted-but-areas" : "all-counted-but";
      note("all-counted", {}, filters.narrows ? follow : "all-counted");
      recount(panel, filters.layers);
      const beyond = panel.querySelector('[data-word="beyond-land"]');
      if (beyond) beyond.hidden = filters.narrows; // counted when the page was made
    };

    /* A sentence of the legend with other values, or another in its place. */
    function note(part, values, key = part) {
      const node = panel.querySelector('#ca-legend .ca-note :is([data-part="' + part + '"], [data-word="' + part + '"])');
      if (!node) return;
      Object.assign(node.dataset, { part, word: key, values: JSON.stringify(values) });
      node.textContent = say(key, values);
    }
  }

  /* "52 at a place, 27 known to an area only, 18 without a location." */
  function apartWords({ drawn, nowhere, apart: { "area-only": area, withheld } }) {
    const counts = [["n-placed", drawn], ["n-in-area", area], ["n-withheld", withheld], ["n-missing", nowhere - area - withheld]];
    return counts.filter(([, n], i) => n || i % 3 === 0).map(([key, n]) => [key, { n }]).reduce((a, b) => ["both", { a, b }]);
  }

  /* The counts of the legend by claim, and of the state's responses, of the reports shown. */
  function recount(panel, layers) {
    for (const part of panel.querySelectorAll(".ca-part")) {
      const own = layers.filter((layer) => part.dataset.layers.split(" ").some((name) => window[name] === layer));
      const counts = new Map();
      for (const layer of own) layer.shownCounts().forEach((n, i) => { const word = layer.statuses[i].label; counts.set(word, (counts.get(word) || 0) + n); });
      for (const node of part.querySelectorAll("[data-of]")) if (counts.has(node.dataset.of)) retally(node, counts.get(node.dataset.of));
    }
    const bars = panel.querySelectorAll(".ca-bars [data-of]"), answers = bars.length ? responses(layers) : null;
    for (const node of bars) {
      const bar = node.parentNode.querySelector("rect"), { all, shown } = retally(node, answers.get(node.dataset.of) || 0);
      bar.dataset.all = bar.dataset.all || bar.getAttribute("width");
      bar.setAttribute("width", all ? bar.dataset.all * shown / all : 0);
    }
  }

  function retally(node, shown) {
    const all = Number(node.dataset.all = node.dataset.all || node.textContent.replace(/,/g, ""));
    node.textContent = counted({ shown, total: all });
    return { all, shown };
  }

  function responses(layers) {
    const counts = new Map();
    for (const layer of layers) {
      const column = layer.cards.column("state_response");
      if (!column) continue;
      const { codes, words } = atlas.distinct(column);
      for (let row = 0; row < codes.length; row++) if (layer.isShown(row)) counts.set(words[codes[row]], (counts.get(words[codes[row]]) || 0) + 1);
    }
    return counts;
  }

  atlas.choosing = function (panel, filters) {
    const section = panel.querySelector("#ca-filter"), tell = line(panel, filters);
    let parts = [];
    const write = () => {
      parts = filters.categories.map((some) => category(some, filters));
      if (filters.period.known) parts.push(period(filters.period, filters));
      section.replaceChildren(...parts.map((part) => part.node));
      if (!parts.length) section.append(element("p", { class: "ca-soft" }, say("no-choice")));
    };
    const renew = () => { tell(); for (const part of parts) part.tell(); };
    for (const event of ["atlas:language", "atlas:colours"]) document.addEventListener(event, () => { write(); renew(); });
    write();
    filters.listen(renew);
  };
})(window.CompoundAtlas);
