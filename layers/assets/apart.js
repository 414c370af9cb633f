/* Owns: the data of a page that lie in a file beside it. That file is a style sheet, which can
   run nothing; its texts are put into the inert tags from which the layers read. */
"use strict";
(function () {
  const whole = (tag) => tag.textContent.length === Number(tag.dataset.length);
  const tags = [...document.querySelectorAll("script[data-length]")];
  for (const tag of tags) {
    const style = getComputedStyle(tag), parts = [];
    for (let i = 0; i < Number(tag.dataset.parts); i++) {
      const part = style.getPropertyValue("--part-" + i).trim();
      parts.push(decodeURIComponent(part.slice(1, -1))); // within its quotes
    }
    tag.textContent = parts.join("");
  }
  if (tags.every(whole)) return;
  const note = document.createElement("p");
  note.setAttribute("role", "alert");
  note.textContent = "This map's data are in the file " + document.currentScript.dataset.file
    + ", which is missing or broken. It must lie in the same folder as this page.";
  document.body.prepend(note);
})();
