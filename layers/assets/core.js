/* Owns: the namespace, safe building of elements, and digits of numbers.
   Text from the data only ever becomes textContent or an attribute value set through the DOM;
   no function here, or anywhere else in these files, parses text as HTML. */
"use strict";
window.CompoundAtlas = (function () {
  const SVG = "http://www.w3.org/2000/svg";

  function read(id) {
    return JSON.parse(document.getElementById(id).textContent);
  }

  function build(node, attributes, children) {
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value);
    }
    for (const child of children) {
      if (child !== null && child !== undefined && child !== "") node.append(child);
    }
    return node;
  }

  const element = (tag, attributes, ...children) =>
    build(document.createElement(tag), attributes, children);
  const drawing = (tag, attributes, ...children) =>
    build(document.createElementNS(SVG, tag), attributes, children);

  /* A text of unknown language and direction, kept from disturbing its neighbours. */
  const text = (value, tag = "bdi") => element(tag, { dir: "auto", lang: "" }, value);

  /* Addresses were checked when the page was made; they are checked again where they are used. */
  function link(address, words) {
    if (!/^https?:\/\//i.test(address)) return words ? text(words) : null;
    const host = address.replace(/^https?:\/\/(?:www\.)?/i, "").split("/")[0];
    const attributes = { href: address, target: "_blank", rel: "noopener noreferrer" };
    return element("a", attributes, text(words || host));
  }

  /* Name whom a layer owes its data in the map's own line of credits, which takes HTML: what is
     handed over is a text that the browser has escaped. */
  function credit(layer, words) {
    layer.getAttribution = () => (words ? element("span", {}, words).innerHTML : null);
    return layer;
  }

  /* Thousands parted by commas. The browser's own formats take longer to load than to draw a map. */
  const number = (value) => String(value).replace(/\B(?=(\d{3})+$)/g, ",");
  const phrase = (word) => word.replace(/_/g, " ");

  /* [["a", 3], ["b", 1]] of the values of a list, in order of first appearance. */
  function tally(values) {
    const counts = new Map();
    for (const value of values) counts.set(value, (counts.get(value) || 0) + 1);
    return [...counts];
  }

  return { read, element, drawing, text, link, credit, number, phrase, tally };
})();
