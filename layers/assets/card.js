/* Owns: the card of a symbol, which lists every report of its places with its source. */
"use strict";
(function (atlas) {
  const { element, text, link, number, phrase, distance, tally, say, parts, term } = atlas;

  /* What a name leaves out: "Sihanoukville, Sangkat Bei", "Poipet (plaza ...)"; and of a place,
     but not of a site that is called so, its kind: "Koh Kong town". */
  const ASIDE = /(,| \().*$/s, KIND = / (city|commune|district|municipality|town|township)$/;

  /* The commonest; of equally common ones the shortest, then the first in the alphabet. */
  function commonest(words) {
    const counts = tally(words.map((word) => word.trim()).filter(Boolean));
    counts.sort((a, b) => b[1] - a[1] || a[0].length - b[0].length || (a[0] < b[0] ? -1 : 1));
    return { word: counts.length ? counts[0][0] : "", several: counts.length > 1 };
  }

  /* A place's name: its locality, else the one site there, else its province. Where several
     sites share a place without a locality, none may name it unless there is nothing else. */
  function placeName(cards, rows) {
    const all = (column, change) => commonest(cards.column(column) ? rows.map((row) => change(cards.text(column, row))) : []);
    const locality = all("locality", (word) => word.replace(ASIDE, "").replace(KIND, ""));
    if (locality.word) return locality.word;
    const site = all("name", (word) => word.replace(ASIDE, ""));
    if (site.word && !site.several) return site.word;
    return all("admin1", (word) => word).word || site.word;
  }

  /* "7 confirmed, 9 suspected" */
  const byStatus = (counts, statuses) =>
    counts.map((n, i) => n && say("several", { n, word: term(statuses[i].label) })).filter(Boolean).join(say("comma"));

  /* "16 reports: 7 confirmed, 9 suspected." */
  const claims = (entry, statuses) =>
    say("claims", { reports: say("reports", { n: entry.total }), counts: byStatus(entry.counts, statuses) });

  /* "Placed at town level, within 8 km (15), 25 km (1)." The honest line: how the place was found. */
  function precision(rows, cards) {
    const levels = tally(rows.map((row) => cards.text("location_level", row)).filter(Boolean));
    levels.sort((a, b) => b[1] - a[1]);
    const metres = cards.column("radius").numbers();
    const radii = tally(rows.map((row) => metres[row]).filter((r) => !Number.isNaN(r))).sort((a, b) => a[0] - b[0]);
    const within = radii.map(([r, count]) => distance(r) + (radii.length > 1 ? " (" + number(count) + ")" : ""));
    const key = "placed" + (levels.length ? "-level" : "") + (radii.length ? "-within" : "");
    return say(key, { levels: levels.map(([word]) => term(phrase(word))).join(say("or")), radii: within.join(say("comma")) });
  }

  /* A date or an id, kept in one line where it fits. */
  function whole(value) {
    const node = text(value);
    node.className = "ca-whole";
    return node;
  }

  /* "2022-09 to 2022" would read backwards: a month and its year are no span. */
  function reported(cards, row) {
    const first = cards.text("first_reported", row), last = cards.text("last_reported", row);
    if (!first && !last) return [];
    if (!first || !last || first === last) return parts("reported", { first: whole(first || last) });
    const nested = first.startsWith(last) || last.startsWith(first);
    return parts(nested ? "reported-first-last" : "reported-from-to", { first: whole(first), last: whole(last) });
  }

  /* The claim in its symbol's colour, written in whichever ink can be read on it. */
  function tag(status) {
    const node = element("span", { class: "ca-tag", "data-status": status.key }, term(status.label));
    node.style.background = atlas.shade(status.colour);
    node.style.color = atlas.inkOn(atlas.shade(status.colour));
    return node;
  }

  /* The title of the card is the area of all that are within it: theirs need not say it again. */
  function report(layer, row, within) {
    const column = (name) => layer.cards.text(name, row);
    const title = column("name") || (within ? "" : column("locality") || column("admin1") || column("site_id"));
    const response = layer.responses && column("state_response");
    const operating = column("operating");
    const source = link(column("source_url"), column("source"));
    const details = layer.details.map((detail) => detail.text(row)).filter(Boolean);
    return element("li", { "data-row": row },
      element("div", { class: "ca-report-title" }, tag(layer.statuses[layer.places.status[row]]), " ", title ? text(title, "b") : ""),
      ...details.map((words) => element("p", {}, text(words))),
      element("p", { class: "ca-soft" },
        response ? say("response", { word: term(phrase(response)) }) : "",
        operating && operating !== "unknown" ? say("last-seen", { word: term(phrase(operating)) }) : "", ...reported(layer.cards, row)),
      element("p", { class: "ca-soft ca-source" }, ...(source ? parts("source", { source }) : [say("no-source")]),
        ...(column("source_date") ? [", ", whole(column("source_date"))] : []), " · ", whole(column("site_id"))));
  }

  /* The reports of all places of a symbol, each place with its heading, or those within an area;
     a hundred at a time. */
  const AT_ONCE = 100;
  function* reports(layer, { members, rows: within }) {
    for (const place of members) {
      const rows = within || layer.rowsOf(place), list = element("ol", {});
      if (members.length > 1) yield element("h3", {}, text(layer.nameOf(place) || say("unnamed")));
      yield element("p", { class: "ca-meta" }, within ? say("region-where", { n: rows.length }) : precision(rows, layer.cards));
      yield list;
      for (const row of rows) { list.append(report(layer, row, within)); yield null; }
    }
  }

  function extend(list, waiting) {
    let written = 0;
    while (written < AT_ONCE) {
      const { value, done } = waiting.next();
      if (done) return;
      if (value) list.append(value); else written += 1;
    }
  }

  /* The reports that do not fit are counted beneath the list; one press gives them more room. */
  const LINE = 28; // a report of which no line is seen is one more
  function rest(list, total, write, grow) {
    const more = element("button", { class: "ca-link ca-rest", type: "button", hidden: "" });
    const count = () => {
      const end = list.getBoundingClientRect().bottom + 4, items = [...list.querySelectorAll("li")];
      const seen = items.filter((item) => item.getBoundingClientRect().top + LINE <= end).length;
      if (items.length < total && list.scrollHeight - list.scrollTop < 2 * list.clientHeight) write();
      more.hidden = seen === total && list.scrollHeight - list.scrollTop <= list.clientHeight + 4;
      more.textContent = total > seen ? say("more-reports", { n: total - seen }) : say("more-of-report");
    };
    more.addEventListener("click", () => { if (!grow()) list.scrollBy(0, list.clientHeight - 40); count(); });
    list.addEventListener("scroll", count);
    return { more, count };
  }

  /* One card per site layer; it lives in the map and never lies over its own symbol. The entry
     of an area has its `rows`, and `area`: {title(), mark(open), focus()}. */
  function card(layer, map) {
    const box = element("section", { class: "ca-card", role: "dialog", "data-label": "card", "aria-label": say("card"), hidden: "" });
    const container = map.getContainer();
    container.append(box);
    L.DomEvent.disableClickPropagation(box);
    L.DomEvent.disableScrollPropagation(box);
    let current = null, before = null, placed = null;

    function shut() {
      if (current.area) current.area.mark(false); else layer.activate(null);
      current = null;
      box.hidden = true;
    }

    function close() {
      if (!current) return;
      const { place: closed, area } = current;
      shut();
      restore();
      if (area) area.focus(); else layer.focus(closed);
    }

    /* The map goes back to where the reader had it, unless the reader moved it since. */
    function restore() {
      const still = map.latLngToContainerPoint(placed).distanceTo(map.getSize().divideBy(2)) < 2;
      if (still && !before.equals(placed)) map.panTo(before, { animate: false });
    }

    function grow() {
      const grows = !box.classList.contains("ca-tall");
      box.classList.add("ca-tall");
      return grows;
    }

    function place(entry) {
      const size = map.getSize();
      const sheet = size.x < 640;
      box.classList.toggle("ca-sheet", sheet);
      const point = map.latLngToContainerPoint(entry.latlng);
      box.classList.toggle("ca-left", !sheet && point.x > size.x / 2);
      const margin = entry.radius + 12;
      const room = sheet ? size.y * 0.38 : size.y - 40;
      const west = !sheet && point.x > size.x / 2 ? box.offsetLeft + box.offsetWidth : 0;
      const east = !sheet && !west ? box.offsetLeft : size.x;
      const top = Math.min(Math.max(point.y, margin), room - margin);
      const left = Math.min(Math.max(point.x, west + margin), east - margin);
      if (left !== point.x || top !== point.y) map.panBy([point.x - left, point.y - top], { animate: false });
    }

    function fill(entry) {
      const button = element("button", { class: "ca-close", type: "button", "aria-label": say("close") }, "×");
      button.addEventListener("click", close);
      const title = element("h2", { tabindex: "-1" }, text(entry.area ? entry.area.title() : layer.titleOf(entry)));
      const list = element("div", { class: "ca-reports", tabindex: "0", role: "group", "aria-label": say("card-list") });
      const waiting = reports(layer, entry), write = () => extend(list, waiting);
      write();
      const { more, count } = rest(list, entry.total, write, grow);
      box.replaceChildren(button, title, element("p", { class: "ca-meta" }, claims(entry, layer.statuses)), list, more);
      return { title, count };
    }

    /* The card is written anew in other words or colours; the focus stays in it. */
    function renew() {
      if (!current) return;
      const within = box.contains(document.activeElement), { title, count } = fill(current);
      count();
      if (within) title.focus({ preventScroll: true });
    }

    function open(entry) {
      close();
      current = entry;
      before = map.getCenter();
      box.classList.remove("ca-tall");
      const { title, count } = fill(entry);
      box.hidden = false;
      place(entry);
      placed = map.getCenter();
      count();
      if (entry.area) entry.area.mark(true); else layer.activate(entry.place);
      title.focus({ preventScroll: true });
    }

    box.addEventListener("keydown", (event) => { if (event.key === "Escape") { event.stopPropagation(); close(); } });
    map.on("click", close);
    map.on("zoomend", () => { if (current) shut(); });
    return { open, close, renew, remove: () => box.remove() };
  }

  /* Why a row has no symbol. */
  const IN_AREA = / (area|cell)$/;
  function reason(layer, row) {
    if (row < layer.places.rows + layer.data.polar) return "near-pole";
    const scheme = layer.cards.text("release_scheme", row);
    return IN_AREA.test(scheme) ? "area-only" : scheme === "withheld" ? "withheld" : "no-location";
  }

  atlas.reason = reason;
  atlas.byStatus = byStatus;
  atlas.placeName = placeName;
  atlas.card = card;
})(window.CompoundAtlas);
