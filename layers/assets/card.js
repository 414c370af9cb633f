/* Owns: the card of a symbol, which lists every report of its places with its source. */
"use strict";
(function (atlas) {
  const { element, text, link, plural, phrase, distance, tally } = atlas;

  function placeTitle(entry) {
    const name = entry.members[0].label || "Unnamed place";
    const others = entry.members.length - 1;
    return others ? name + " and " + plural(others, "place nearby", "places nearby") : name;
  }

  /* "16 reports: 7 confirmed, 9 suspected." */
  function claims(entry, statuses) {
    const words = entry.counts
      .map((count, i) => (count ? count + " " + (statuses[i] ? statuses[i].label : "other") : ""))
      .filter(Boolean).join(", ");
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

  function reported(data, row) {
    const first = data.columns.first_reported[row], last = data.columns.last_reported[row];
    if (!first && !last) return "";
    return "Reported " + (first && last && first !== last ? first + " to " + last : first || last) + ".";
  }

  function report(data, row) {
    const status = data.statuses[data.status[row]];
    const column = (name) => (data.columns[name] || [])[row] || "";
    const title = data.name[row] || column("locality") || column("admin1") || column("site_id");
    const tag = element("span", { class: "ca-tag", "data-status": status ? status.key : "unknown" }, status ? status.label : "not stated");
    const facts = [];
    if (column("state_response")) facts.push("State response: " + phrase(column("state_response")) + ".");
    if (column("operating") && column("operating") !== "unknown") facts.push("Last seen " + phrase(column("operating")) + ".");
    if (reported(data, row)) facts.push(reported(data, row));
    const source = link(data.url[row], column("source"));
    return element("li", { "data-row": row },
      element("div", { class: "ca-report-title" }, tag, " ", text(title, "b")),
      ...data.details.map((name) => column(name) && element("p", {}, text(column(name)))),
      element("p", { class: "ca-soft" }, facts.join(" ")),
      element("p", { class: "ca-soft ca-source" }, source ? "Source: " : "No source given", source,
        column("source_date") ? ", " + column("source_date") : "", " · " + column("site_id")));
  }

  /* One card per site layer; it lives in the map and never lies over its own symbol. */
  function card(layer, map) {
    const box = element("section", { class: "ca-card", role: "dialog", "aria-label": "Reports of this place", hidden: "" });
    const container = map.getContainer();
    container.append(box);
    L.DomEvent.disableClickPropagation(box);
    L.DomEvent.disableScrollPropagation(box);
    let current = null;

    function close() {
      if (!current) return;
      const node = current.marker.getElement();
      if (node) { node.classList.remove("ca-active"); node.focus({ preventScroll: true }); }
      current = null;
      box.hidden = true;
    }

    function place(entry) {
      const size = map.getSize();
      const sheet = size.x < 640;
      box.classList.toggle("ca-sheet", sheet);
      const point = map.latLngToContainerPoint(entry.latlng);
      box.classList.toggle("ca-left", !sheet && point.x > size.x / 2);
      const room = sheet ? size.y * 0.38 : size.y - 40;
      const margin = entry.radius + 12;
      const top = Math.min(Math.max(point.y, margin), room - margin);
      const left = Math.min(Math.max(point.x, margin), size.x - margin);
      if (left !== point.x || top !== point.y) map.panBy([point.x - left, point.y - top], { animate: false });
    }

    function fill(entry) {
      const data = layer.data;
      const shut = element("button", { class: "ca-close", type: "button", "aria-label": "Close" }, "×");
      shut.addEventListener("click", close);
      const title = element("h2", { tabindex: "-1" }, text(placeTitle(entry)));
      const groups = entry.members.map((member) => [
        entry.members.length > 1 ? element("h3", {}, text(member.label)) : null,
        element("p", { class: "ca-meta" }, precision(member.rows, data)),
        element("ol", {}, ...member.rows.map((row) => report(data, row))),
      ]);
      box.replaceChildren(shut, title, element("p", { class: "ca-meta" }, claims(entry, data.statuses)),
        element("div", { class: "ca-reports", tabindex: "0", role: "group", "aria-label": "Reports" }, ...groups.flat().filter(Boolean)));
      return title;
    }

    function open(entry) {
      close();
      current = entry;
      const title = fill(entry);
      box.hidden = false;
      place(entry);
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
