/* Owns: the words of the page in the reader's language, and the change from one to another.
   Words of our own stand in strings.json; what the author or the data say stays as it is, but
   for words of the schema and names of well-known places. */
"use strict";
(function (atlas) {
  const { read } = atlas;
  const STRINGS = read("ca-strings");
  const known = (prefix) => new Map(Object.entries(STRINGS).filter(([key]) => key.startsWith(prefix)).map(([key, { en }]) => [en, key]));
  const TERMS = known("term-"), NAMES = known("name-");
  let language = "en";

  /* A sentence with values in its braces; of two forms, "{n} report|{n} reports", that for n.
     A value [key, values] is a sentence itself. */
  function filled(sentence, values = {}) {
    const forms = sentence.split("|"), form = forms[values.n === 1 ? 0 : forms.length - 1];
    return form.split(/\{(\w+)\}/).map((part, i) => {
      if (i % 2 === 0) return part;
      const value = values[part];
      if (Array.isArray(value)) return say(...value);
      return typeof value === "number" ? atlas.number(value) : name(value);
    });
  }

  /* A sentence in parts, so that some of them may be elements. */
  const parts = (key, values) => filled(STRINGS[key][language], values);
  const say = (key, values) => parts(key, values).join("");

  /* A word of the schema, or the name of a place, if it is one of those that we know. */
  const term = (word) => (TERMS.has(word) ? say(TERMS.get(word)) : word);
  const name = (word) => (NAMES.has(word) ? say(NAMES.get(word)) : word);

  function distance(metres) {
    if (metres < 1000) return say("m", { n: Math.round(metres) });
    const km = metres / 1000;
    return say("km", { n: km < 10 ? Math.round(km * 10) / 10 : Math.round(km) });
  }

  /* Words that stand in the page and are exchanged with the language; data-label holds the key
     of an element's accessible name. */
  const valuesOf = (node) => JSON.parse(node.dataset.values || "{}");
  function translate(root) {
    for (const node of root.querySelectorAll("[data-word]")) node.textContent = say(node.dataset.word, valuesOf(node));
    for (const node of root.querySelectorAll("[data-label]")) {
      node.setAttribute("aria-label", say(node.dataset.label, valuesOf(node)));
      if (node.title) node.title = node.getAttribute("aria-label");
    }
  }

  function speak(chosen) {
    if (chosen === language || !Object.hasOwn(STRINGS.language, chosen)) return;
    language = document.documentElement.lang = chosen;
    translate(document);
    document.dispatchEvent(new CustomEvent("atlas:language", { detail: chosen }));
  }

  /* Buttons that say their language in itself, the chosen one pressed. */
  function languageSwitch(holder) {
    const buttons = [...holder.querySelectorAll("button[data-language]")];
    const show = () => { for (const button of buttons) button.setAttribute("aria-pressed", button.dataset.language === language); };
    for (const button of buttons) button.addEventListener("click", () => speak(button.dataset.language));
    document.addEventListener("atlas:language", show);
    show();
  }

  Object.assign(atlas, { parts, say, term, name, distance, translate, speak, languageSwitch, language: () => language });
})(window.CompoundAtlas);
