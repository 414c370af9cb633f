/* Owns: colours that follow the reader: light, dark, or paper in a printer. Style sheets name
   them; what is drawn on canvas asks here, and is drawn again when they change. */
"use strict";
(function (atlas) {
  const DARK = matchMedia("(prefers-color-scheme: dark)");
  const LIFT = 0.14; // of white in the faintest colour of an order, or it would be the ground
  const NAMED = { "#fffdf9": "paper", "#a3271d": "subject" }, LEAST = 4.5; // contrast with a dark ground; lines that let it through keep 3
  let inks = new Map(), shades = new Map();

  /* A colour of the style sheets, "rim" for --ca-rim. */
  function ink(name) {
    if (!inks.has(name)) inks.set(name, getComputedStyle(document.documentElement).getPropertyValue("--ca-" + name).trim());
    return inks.get(name);
  }

  const channels = (colour) => [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));
  const hex = (values) => "#" + values.map((value) => Math.round(value).toString(16).padStart(2, "0")).join("");

  /* Relative luminance and contrast as WCAG 2 defines them. */
  function luminance(colour) {
    const [r, g, b] = channels(colour).map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }

  function contrast(a, b) {
    const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (high + 0.05) / (low + 0.05);
  }

  /* A colour of a scale as this scheme shows it. On dark ground paper is dark, and what is too
     dark to be seen is mixed with white until it can be. */
  function shade(colour) {
    if (!shades.has(colour)) shades.set(colour, shaded(colour));
    return shades.get(colour);
  }

  function shaded(colour) {
    const ground = ink("land");
    if (luminance(ground) > 0.5) return colour;
    if (NAMED[colour.toLowerCase()]) return ink(NAMED[colour.toLowerCase()]);
    let found = colour;
    for (let white = 0; white < 1 && contrast(found, ground) < LEAST; white += 0.05) {
      found = hex(channels(colour).map((value) => value + (255 - value) * white));
    }
    return found;
  }

  /* A colour of an order, such as classes from light to dark. On paper the strongest is the
     darkest; on dark ground lightness is mirrored, hue kept, so that the strongest stands out
     there too. The legend's swatches are turned with the map. */
  function gradedShade(colour) {
    if (luminance(ink("land")) > 0.5) return colour;
    const values = channels(colour), turn = 255 - Math.max(...values) - Math.min(...values);
    return hex(values.map((value) => value + turn + (255 - value - turn) * LIFT));
  }

  /* The ink that can be read on a colour. */
  const inkOn = (colour) => (contrast(colour, "#ffffff") >= contrast(colour, "#1d2330") ? "#ffffff" : "#1d2330");

  /* Swatches in the page, of which each says its colour. */
  function paintSwatches(root) {
    for (const node of root.querySelectorAll("[data-fill]")) node.setAttribute("fill", shade(node.dataset.fill));
    for (const node of root.querySelectorAll("[data-graded]")) node.setAttribute("fill", gradedShade(node.dataset.graded));
    for (const node of root.querySelectorAll("[data-stroke]")) node.setAttribute("stroke", shade(node.dataset.stroke));
  }

  function recolour() {
    inks = new Map();
    shades = new Map();
    paintSwatches(document);
    document.dispatchEvent(new CustomEvent("atlas:colours"));
  }

  DARK.addEventListener("change", recolour);
  document.addEventListener("DOMContentLoaded", () => paintSwatches(document));

  /* Pixels of a canvas for each pixel of the page: a printer has finer ones than a screen. Of 3,
     the third part is no exact number, and Chromium's PDF would shift what is drawn. */
  const sharpness = () => (atlas.printing ? 4 : window.devicePixelRatio || 1);

  Object.assign(atlas, { printing: false, sharpness, ink, shade, gradedShade, inkOn, contrast, recolour });
})(window.CompoundAtlas);
