// What is too wide for the window scrolls by itself: it fades at the side where there is more, and the keyboard reaches it.
(() => {
  "use strict";
  const WIDE =
    ".bd-article :is(.highlight > pre, .ck-picture, .ck-figure, .cell_output, .pst-scrollable-table-container, div.math)";

  function look(box) {
    const more = box.scrollWidth - box.clientWidth;
    const scrolls = more > 2 && getComputedStyle(box).overflowX !== "visible";
    box.classList.toggle("more-before", scrolls && box.scrollLeft > 2);
    box.classList.toggle("more-behind", scrolls && box.scrollLeft < more - 2);
    if (scrolls && !box.hasAttribute("tabindex")) {
      box.tabIndex = 0;
      box.dataset.reached = "";
    } else if (!scrolls && "reached" in box.dataset) {
      box.removeAttribute("tabindex");
      delete box.dataset.reached;
    }
  }

  function begin() {
    const boxes = document.querySelectorAll(WIDE);
    const watch = new ResizeObserver((entries) => entries.forEach(({ target }) => look(target)));
    for (const box of boxes) {
      box.addEventListener("scroll", () => look(box), { passive: true });
      watch.observe(box);
    }
  }
  document.readyState === "loading" ? document.addEventListener("DOMContentLoaded", begin) : begin();
})();
