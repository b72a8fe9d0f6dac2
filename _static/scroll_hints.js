// What is too wide for the window scrolls by itself: it fades at the side where there is more, and the keyboard reaches it.
(() => {
  "use strict";
  const WIDE = ":is(.highlight > pre, pre.literal-block, .ck-source, .ck-view, .ck-figure, .cell_output, .pst-scrollable-table-container, div.math)";

  // First everything is measured, then everything is marked: in turns, each mark would make the browser lay out the page
  // anew for the next measure.
  const look = (boxes) => boxes.map(measured).forEach(mark);

  function measured(box) {
    const more = box.scrollWidth - box.clientWidth;
    const style = more > 2 && getComputedStyle(box);
    const scrolls = style && style.overflowX !== "visible";
    // What is hidden on the left; where words run from right to left, scrolling begins at the right and counts down.
    const left = box.scrollLeft + (scrolls && style.direction === "rtl" ? more : 0);
    return { box, scrolls, before: scrolls && left > 2, behind: scrolls && left < more - 2 };
  }

  function mark({ box, scrolls, before, behind }) {
    box.classList.toggle("more-before", before);
    box.classList.toggle("more-behind", behind);
    if (scrolls && !box.hasAttribute("tabindex")) {
      box.tabIndex = 0;
      box.dataset.reached = "";
    } else if (!scrolls && "reached" in box.dataset) {
      box.removeAttribute("tabindex");
      delete box.dataset.reached;
    }
  }

  // A formula in a line that is wider than the text scrolls too; all others are part of their line.
  function formulas(article) {
    const found = [...article.querySelectorAll("span.math > math")];
    const wide = found.map((math) => math.getBoundingClientRect().width > math.closest("p, li, td, dd, div").clientWidth);
    found.forEach((math, i) => math.parentElement.classList.toggle("too-wide", wide[i]));
  }

  function begin() {
    const article = document.querySelector(".bd-article");
    if (!article) return;
    const known = new WeakSet();
    const watch = new ResizeObserver((entries) => look(entries.map(({ target }) => target)));
    const scan = () => {
      waits = 0;
      for (const box of article.querySelectorAll(WIDE)) {
        if (known.has(box)) continue;
        known.add(box);
        box.addEventListener("scroll", () => look([box]), { passive: true });
        watch.observe(box);
      }
      look([...article.querySelectorAll(WIDE)]); // what is in a box may change, and not its size
    };
    let waits = 0;
    // Editors and outputs come while one reads.
    new MutationObserver(() => (waits ||= setTimeout(scan, 700))).observe(article, { childList: true, subtree: true });
    scan();
    document.fonts.ready.then(scan);
    new ResizeObserver(() => formulas(article)).observe(article);
  }
  document.readyState === "loading" ? document.addEventListener("DOMContentLoaded", begin) : begin();
})();
