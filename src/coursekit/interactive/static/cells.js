// Code cells and exercises: this much is loaded with the page. The rest, ck/cells.mjs, comes at the first click, or at
// once where this reader has typed something before. The marks in the page come from interactive/cells_html.py.
(() => {
  "use strict";
  const BASE = new URL("ck/", document.currentScript.src);
  const ON_DISK = location.protocol === "file:"; // where a page may load neither modules nor Python
  let loading;
  const load = () => (loading ??= ON_DISK ? Promise.reject() : import(new URL("cells.mjs", BASE)).then((module) => module.begin(BASE)));

  function begin() {
    const data = document.querySelector(".ck-cells");
    if (!data) return;
    document.addEventListener("click", async (event) => {
      const button = event.target.closest?.("[data-do]");
      if (!button || button.dataset.ready) return; // once loaded, the module listens itself
      const cell = button.closest(".cell"); // the button itself is about to be made anew
      try {
        await (await load()).act(button, cell);
      } catch (error) {
        loading = undefined;
        complain(button, error);
      }
    });
    const { notebook } = JSON.parse(data.dataset.cells);
    const sheet = notebook.match(/\w+\/(\d\d)_/)?.[1];
    const typed = window.ckMemory
      .names()
      ?.some((name) => name.startsWith(`cell:${notebook}:`) || name.startsWith(`work:${sheet}.`));
    if (!ON_DISK && (typed || notebook.startsWith("exercises/"))) load().catch(() => (loading = undefined));
  }

  function complain(button, error) {
    const why = ON_DISK
      ? "Code runs in pages that come from a web server, and this one was opened from a disk. Type make book and open the address that it prints."
      : `This could not be loaded (${error.message}). Try again.`;
    const bar = button.closest(".ck-bar, .ck-exercises");
    const note = bar.querySelector(".ck-failed") ?? document.createElement("span");
    note.className = "ck-failed";
    note.setAttribute("role", "status");
    note.textContent = why;
    bar.append(note);
  }

  document.readyState === "loading" ? document.addEventListener("DOMContentLoaded", begin) : begin();
})();
