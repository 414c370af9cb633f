/* Owns: pins in the colours of folium.Icon with its default sign, in place of a plugin that no
   package carries. Other signs need that plugin's own files. */
"use strict";
L.AwesomeMarkers = (function () {
  const COLOURS = {
    red: "#cc3a2b", darkred: "#962d2d", lightred: "#f58775", orange: "#ea8f2c", beige: "#f2c790",
    green: "#629c2d", darkgreen: "#4f6b22", lightgreen: "#aadb6f", blue: "#2f8fc4", darkblue: "#1d5a8c",
    cadetblue: "#44697a", lightblue: "#83cdf0", purple: "#b84aa0", darkpurple: "#5b3a68", pink: "#f08fd6",
    white: "#f7f7f5", gray: "#5a5a5a", lightgray: "#a6a6a6", black: "#2d2d2d",
  };
  const WORD = /^#?\w+$/;

  function drawing(pin, sign, shown) {
    const mark = shown
      ? `<circle cx="14" cy="8.6" r="1.9" fill="${sign}"/><path d="M12.3 12.2h3.4v7.4h-3.4z" fill="${sign}"/>`
      : "";
    return '<svg xmlns="http://www.w3.org/2000/svg" width="28" height="40" viewBox="0 0 28 40">'
      + `<path d="M14 1a13 13 0 0 1 13 13c0 8-8 14-13 25C9 28 1 22 1 14A13 13 0 0 1 14 1z" fill="${pin}" stroke="#fff"/>`
      + `${mark}</svg>`;
  }

  function icon(options) {
    const pin = COLOURS[options.markerColor] || COLOURS.blue;
    const wanted = options.iconColor || "white";
    const sign = COLOURS[wanted] || (WORD.test(wanted) ? wanted : "white");
    return L.icon({
      iconUrl: "data:image/svg+xml," + encodeURIComponent(drawing(pin, sign, options.icon !== "")),
      iconSize: [28, 40], iconAnchor: [14, 39], popupAnchor: [0, -36], tooltipAnchor: [12, -26],
    });
  }

  return { icon };
})();
