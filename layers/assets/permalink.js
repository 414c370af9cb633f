/* Owns: the view and the filters in the address of the page, "#12/11.5/104.9&status=confirmed",
   and the button that copies it. An address may be written by anyone: of what it says, only
   what is understood is done. */
"use strict";
(function (atlas) {
  const { say } = atlas;
  const QUIET = 300; // milliseconds without a change before the address follows
  const STATED = "~"; // stands for "not stated"
  const RESERVED = new Set(["from", "to", "undated", "lang"]);
  const keyOf = ({ key }) => encodeURIComponent(RESERVED.has(key) ? "column." + key : key);

  /* A page within another page's text has no address of its own. */
  const ADDRESSED = location.protocol !== "about:" && location.protocol !== "data:";

  function writeView(map) {
    const { lat, lng } = map.getCenter(), round = (value, places) => String(Number(value.toFixed(places)));
    return [round(map.getZoom(), 2), round(lat, 5), round(lng, 5)].join("/");
  }

  const NUMBER = /^-?\d{1,3}(?:\.\d{1,15})?$/;
  function readView(text) {
    const words = text.split("/");
    if (words.length !== 3 || !words.every((word) => NUMBER.test(word))) return null;
    const [zoom, lat, lng] = words.map(Number);
    return zoom >= 0 && Math.abs(lat) <= 85 && Math.abs(lng) <= 180 ? { zoom, center: [lat, lng] } : null;
  }

  const monthText = (month) => String(Math.floor(month / 12)).padStart(4, "0") + "-" + String(month % 12 + 1).padStart(2, "0");
  const valueText = (value) => (value === "" ? STATED : encodeURIComponent(value).replace(/~/g, "%7E"));

  function writeFilters({ categories, period }) {
    const parts = categories.filter((some) => some.narrows).map((some) =>
      keyOf(some) + "=" + some.list.filter(({ chosen }) => chosen).map(({ value }) => valueText(value)).join(","));
    if (period.known && period.from > 0) parts.push("from=" + monthText(period.monthOf(period.from)));
    if (period.known && period.to < period.last) parts.push("to=" + monthText(period.monthOf(period.to, true)));
    if (period.known && !period.undated.chosen) parts.push("undated=no");
    return parts;
  }

  function decoded(text) {
    try { return decodeURIComponent(text); } catch { return null; }
  }

  function readCategory(some, text) {
    const wanted = new Set(text === "" ? [] : text.split(",").map((word) => (word === STATED ? "" : decoded(word))));
    const known = text === "" || some.list.some(({ value }) => wanted.has(value));
    some.choose((value) => !known || wanted.has(value));
  }

  function readFilters(parts, { categories, period }) {
    const found = new Map();
    for (const part of parts) {
      const at = part.indexOf("=");
      if (at > 0) found.set(part.slice(0, at), part.slice(at + 1));
    }
    for (const some of categories) {
      if (found.has(keyOf(some))) readCategory(some, found.get(keyOf(some))); else some.choose(() => true);
    }
    period.all();
    const month = (key) => { const span = atlas.months(found.get(key) || ""); return span && Math.floor((span[0] - period.least) / period.step); };
    const within = (position) => Math.max(0, Math.min(period.last, position));
    const from = month("from"), to = month("to");
    if (from !== null) period.from = within(from);
    if (to !== null) period.to = Math.max(period.from, within(to));
    if (found.get("undated") === "no" && period.undated.total) period.undated.chosen = false;
  }

  const writeLanguage = () => (atlas.language() === "en" ? [] : ["lang=" + atlas.language()]);

  const parts = () => location.hash.slice(1).split("&");

  /* The view that the address asks for, before anything else is known. */
  atlas.askedView = () => (ADDRESSED ? readView(parts()[0]) : null);

  /* view: {go(asked), elsewhere()}, from atlas.page. */
  atlas.permalink = function (map, filters, view) {
    if (!ADDRESSED) return;
    let waiting = 0;

    function written() {
      const words = [...(view.elsewhere() ? [writeView(map)] : []), ...writeFilters(filters), ...writeLanguage()];
      return words.length ? "#" + words.join("&") : "";
    }

    function write() {
      clearTimeout(waiting);
      waiting = 0;
      const hash = written();
      if (hash === location.hash) return;
      try { history.replaceState(history.state, "", hash || location.pathname + location.search); } catch { /* a frame that may not */ }
    }

    const later = () => { clearTimeout(waiting); waiting = setTimeout(write, QUIET); };

    function read() {
      const spoken = parts().find((part) => part.startsWith("lang="));
      if (spoken) atlas.speak(spoken.slice(5));
      readFilters(parts(), filters);
      filters.change();
    }

    if (location.hash) read(); // the page opened at the view already
    map.on("moveend", later);
    filters.listen(later);
    document.addEventListener("atlas:language", later);
    window.addEventListener("hashchange", () => {
      const asked = atlas.askedView();
      if (asked) view.go(asked);
      read();
    });
    return { write, address: () => { write(); return location.href; } };
  };

  /* Where a page may not write to the clipboard, the link stands there to be copied. */
  atlas.sharing = function (tools, link) {
    const button = tools.querySelector(".ca-copy"), field = tools.querySelector("#ca-link");
    if (!link) { button.hidden = true; return; }
    button.hidden = false;
    button.addEventListener("click", async () => {
      const address = link.address(), words = button.querySelector("[data-word]");
      try {
        await navigator.clipboard.writeText(address);
        words.dataset.word = "link-copied";
        setTimeout(() => { words.dataset.word = "copy-link"; words.textContent = say("copy-link"); }, 2500);
        words.textContent = say("link-copied");
      } catch {
        field.hidden = false;
        field.value = address;
        field.focus();
        field.select();
      }
    });
    field.addEventListener("keydown", (event) => { if (event.key === "Escape") { field.hidden = true; button.focus(); } });
  };
})(window.CompoundAtlas);
