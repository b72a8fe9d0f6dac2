// On paper the answers stand at the end of the chapter, each with its question's beginning; see "Paper" in custom.css.
(() => {
  "use strict";
  const element = (tag, properties, ...children) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };
  const gone = () => document.querySelector(".print-answers")?.remove();

  function gather() {
    gone();
    const answers = [...document.querySelectorAll(".bd-article .ck-predict .ck-print")];
    if (!answers.length) return;
    const list = element("ol", {});
    for (const answer of answers) {
      const asked = answer.closest(".ck-predict").querySelector("legend").textContent.trim();
      const item = element("li", {}, element("p", { className: "print-asked", textContent: asked }));
      item.append(...[...answer.cloneNode(true).childNodes]);
      list.append(item);
    }
    const end = element("section", { className: "print-answers" }, element("h2", { textContent: "Answers" }), list);
    document.querySelector(".bd-article").append(end);
  }
  addEventListener("beforeprint", gather);
  addEventListener("afterprint", gone);
})();
