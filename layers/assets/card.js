/* Owns: the card of a symbol, which lists every report of its places with its source. */
"use strict";
(function (atlas) {
  const { element, text, link, plural, phrase, distance, tally } = atlas;

  const named = (place) => place.label || "Unnamed place";

  function placeTitle(entry) {
    const others = entry.members.length - 1;
    return named(entry.members[0]) + (others ? " and " + plural(others, "place nearby", "places nearby") : "");
  }

  /* "16 reports: 7 confirmed, 9 suspected." */
  function claims(entry, statuses) {
    const words = entry.counts.map((count, i) => count && count + " " + statuses[i].label).filter(Boolean).join(", ");
    return plural(entry.total, "report", "reports") + ": " + words + ".";
  }

  /* "Placed at town level, within 8 km (15), 25 km (1)." The honest line: how the place was found. */
  function precision(rows, data) {
    const levels = tally(rows.map((row) => data.columns.location_level[row]).filter(Boolean));
    levels.sort((a, b) => b[1] - a[1]);
    const radii = tally(rows.map((row) => data.radius[row]).filter((r) => r !== null)).sort((a, b) => a[0] - b[0]);
    const level = levels.length ? "Placed at " + levels.map(([word]) => phrase(word)).join(" or ") + " level" : "Placed";
    if (!radii.length) return level + "; how exactly is not stated.";
    const within = radii.map(([metres, count]) => distance(metres) + (radii.length > 1 ? " (" + count + ")" : ""));
    return level + ": the true place lies within " + within.join(", ") + ".";
  }

  /* A date or an id, kept in one line where it fits. */
  function whole(value) {
    const node = text(value);
    node.className = "ca-whole";
    return node;
  }

  /* "2022-09 to 2022" would read backwards: a month and its year are no span. */
  function reported(data, row) {
    const first = data.columns.first_reported[row], last = data.columns.last_reported[row];
    if (!first && !last) return [];
    if (!first || !last || first === last) return ["Reported ", whole(first || last), ". "];
    if (first.startsWith(last) || last.startsWith(first)) return ["First reported ", whole(first), ", last ", whole(last), ". "];
    return ["Reported ", whole(first), " to ", whole(last), ". "];
  }

  /* The claim in its symbol's colour, written in whichever ink can be read on it. */
  function tag(status) {
    const node = element("span", { class: "ca-tag", "data-status": status.key }, status.label);
    node.style.background = status.colour;
    node.style.color = dark(status.colour) ? "#fff" : "#1d2330";
    return node;
  }

  /* Relative luminance as WCAG 2 defines it, below which white is the more legible ink. */
  function dark(colour) {
    const [r, g, b] = [1, 3, 5].map((i) => {
      const share = parseInt(colour.slice(i, i + 2), 16) / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b < 0.2;
  }

  function report(data, row) {
    const column = (name) => (data.columns[name] || [])[row] || "";
    const title = data.name[row] || column("locality") || column("admin1") || column("site_id");
    const response = data.responses && column("state_response");
    const operating = column("operating");
    const source = link(data.url[row], column("source"));
    return element("li", { "data-row": row },
      element("div", { class: "ca-report-title" }, tag(atlas.status(data, row)), " ", text(title, "b")),
      ...data.details.map((name) => column(name) && element("p", {}, text(column(name)))),
      element("p", { class: "ca-soft" },
        response ? "State response: " + phrase(response) + ". " : "",
        operating && operating !== "unknown" ? "Last seen " + phrase(operating) + ". " : "", ...reported(data, row)),
      element("p", { class: "ca-soft ca-source" }, source ? "Source: " : "No source given", source,
        ...(column("source_date") ? [", ", whole(column("source_date"))] : []), " · ", whole(column("site_id"))));
  }

  /* The reports that do not fit are counted beneath the list; one press gives them more room. */
  const LINE = 28; // a report of which no line is seen is one more
  function rest(list, grow) {
    const more = element("button", { class: "ca-link ca-rest", type: "button", hidden: "" });
    const count = () => {
      const end = list.getBoundingClientRect().bottom + 4;
      const hidden = [...list.querySelectorAll("li")].filter((item) => item.getBoundingClientRect().top + LINE > end).length;
      more.hidden = !hidden && list.scrollHeight - list.scrollTop <= list.clientHeight + 4;
      more.textContent = hidden ? plural(hidden, "more report", "more reports") : "more of this report";
    };
    more.addEventListener("click", () => { if (!grow()) list.scrollBy(0, list.clientHeight - 40); count(); });
    list.addEventListener("scroll", count);
    return { more, count };
  }

  /* One card per site layer; it lives in the map and never lies over its own symbol. */
  function card(layer, map) {
    const box = element("section", { class: "ca-card", role: "dialog", "aria-label": "Reports of this place", hidden: "" });
    const container = map.getContainer();
    container.append(box);
    L.DomEvent.disableClickPropagation(box);
    L.DomEvent.disableScrollPropagation(box);
    let current = null, before = null, placed = null;

    function close() {
      if (!current) return;
      const node = current.marker.getElement();
      current = null;
      box.hidden = true;
      restore();
      if (node) { node.classList.remove("ca-active"); node.focus({ preventScroll: true }); }
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
      const data = layer.data;
      const shut = element("button", { class: "ca-close", type: "button", "aria-label": "Close" }, "×");
      shut.addEventListener("click", close);
      const title = element("h2", { tabindex: "-1" }, text(placeTitle(entry)));
      const groups = entry.members.map((member) => [
        entry.members.length > 1 ? element("h3", {}, text(named(member))) : null,
        element("p", { class: "ca-meta" }, precision(member.rows, data)),
        element("ol", {}, ...member.rows.map((row) => report(data, row))),
      ]);
      const list = element("div", { class: "ca-reports", tabindex: "0", role: "group", "aria-label": "Reports" }, ...groups.flat().filter(Boolean));
      const { more, count } = rest(list, grow);
      box.replaceChildren(shut, title, element("p", { class: "ca-meta" }, claims(entry, data.statuses)), list, more);
      return { title, count };
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
      const node = entry.marker.getElement();
      if (node) node.classList.add("ca-active");
      title.focus({ preventScroll: true });
    }

    box.addEventListener("keydown", (event) => { if (event.key === "Escape") { event.stopPropagation(); close(); } });
    map.on("click", close);
    map.on("zoomend", () => { if (current) { current = null; box.hidden = true; } });
    return { open, close, remove: () => box.remove() };
  }

  atlas.placeTitle = placeTitle;
  atlas.card = card;
})(window.CompoundAtlas);
