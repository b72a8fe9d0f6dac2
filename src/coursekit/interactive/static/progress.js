// What this reader has done, kept in this browser only: sections seen, predictions made, quiz questions answered.
// The first page shows it (progress.py made the table), and lets the reader keep a copy, bring it back, or erase it.
(() => {
  "use strict";
  const PREFIX = "coursekit:";
  const read = (key) => {
    try {
      return JSON.parse(localStorage.getItem(PREFIX + key));
    } catch {
      return null;
    }
  };
  const write = (key, value) => {
    try {
      localStorage.setItem(PREFIX + key, JSON.stringify(value));
      return true;
    } catch {
      return false; // Storage is blocked or full: the page works, it only forgets.
    }
  };
  // The names of what is kept, or null where the browser does not let the page look.
  const kept = () => {
    try {
      return Object.keys(localStorage).filter((key) => key.startsWith(PREFIX));
    } catch {
      return null;
    }
  };
  const DENIED = "This browser does not let the page keep anything (its storage is blocked), so there is nothing to ";
  const element = (tag, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };

  // A section counts as seen when its end has been on the screen.
  function watch() {
    const page = location.pathname.match(/chapters\/[^/]+$/)?.[0];
    if (!page || !("IntersectionObserver" in window)) return;
    const key = `read:${page}`;
    const sections = [...document.querySelectorAll("article section")].filter((s) => s.querySelector(":scope > h2"));
    const ends = new Map();
    const observer = new IntersectionObserver((entries) => {
      const fresh = entries.filter((entry) => entry.isIntersecting).map((entry) => ends.get(entry.target));
      if (!fresh.length) return;
      const seen = new Set(read(key)?.seen ?? []);
      fresh.forEach((id) => seen.add(id));
      write(key, { seen: [...seen], when: new Date().toISOString() });
    });
    for (const section of sections) {
      const end = element("div", { className: "ck-end" });
      end.setAttribute("aria-hidden", "true");
      section.append(end);
      ends.set(end, section.id);
      observer.observe(end);
    }
  }

  // "4 of 9", and nothing of nothing.
  const share = (done, all) => (all ? `${done} of ${all}` : "–");
  const done = (chapter) => {
    const seen = new Set(read(`read:${chapter.page}`)?.seen ?? []);
    const answers = (names) => names.map((name) => read(`predict:${name}`)).filter(Boolean);
    const quiz = answers(chapter.questions);
    return {
      sections: chapter.sections.filter((id) => seen.has(id)).length,
      predictions: answers(chapter.predictions).length,
      answered: quiz.length,
      right: quiz.filter((answer) => answer.right).length,
      solved: chapter.exercises.filter((name) => read(`check:${name}`)?.right).length,
    };
  };

  // How many questions are due for review: after FSRS's first interval in days, or when review.js said.
  const FIRST = { wrong: 1, right: 3 };
  const isDue = (name) => {
    const card = read(`review:${name}`);
    if (card && Number.isFinite(Date.parse(card.due))) return Date.parse(card.due) <= Date.now();
    const first = read(`predict:${name}`);
    return Boolean(first) && Date.parse(first.when) + (first.right ? FIRST.right : FIRST.wrong) * 86400000 <= Date.now();
  };

  function show(root) {
    const course = JSON.parse(root.dataset.course);
    const say = (text) => (root.querySelector("[role=status]").textContent = text);
    const refresh = () => {
      for (const chapter of course) {
        const row = root.querySelector(`tr[data-page="${CSS.escape(chapter.page)}"]`);
        const counts = done(chapter);
        const [sections, predictions, quiz, exercises] = row.querySelectorAll(".ck-count");
        sections.textContent = share(counts.sections, chapter.sections.length);
        predictions.textContent = share(counts.predictions, chapter.predictions.length);
        quiz.textContent =
          share(counts.answered, chapter.questions.length) + (counts.answered ? `, ${counts.right} right` : "");
        exercises.textContent = share(counts.solved, chapter.exercises.length);
        row.classList.toggle("ck-read", counts.sections > 0 && counts.sections === chapter.sections.length);
      }
      const count = course.flatMap((chapter) => chapter.questions).filter(isDue).length;
      const due = root.querySelector(".ck-due");
      due.hidden = !count;
      const link = element("a", { href: "review.html", textContent: "review" });
      due.replaceChildren(count === 1 ? "1 question is due for " : `${count} questions are due for `, link, ".");
    };
    const save = () => {
      const names = kept();
      if (!names) return say(`${DENIED}save.`);
      if (!names.length) return say("There is nothing to save yet.");
      const all = Object.fromEntries(names.map((key) => [key, read(key.slice(PREFIX.length))]));
      const link = element("a", { download: "training-neural-networks-progress.json" });
      link.href = URL.createObjectURL(new Blob([JSON.stringify(all, null, 1)], { type: "application/json" }));
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
      say(`Saved ${names.length} entries to a file.`);
    };
    const load = async (file) => {
      let all = null;
      try {
        all = JSON.parse(await file.text());
      } catch {
        // Answered below.
      }
      const keys = all && typeof all === "object" ? Object.keys(all) : [];
      if (!keys.length || !keys.every((key) => key.startsWith(PREFIX)))
        return say(`${file.name} is not a file that this page saved. Nothing was changed.`);
      const failed = keys.filter((key) => !write(key.slice(PREFIX.length), all[key]));
      refresh();
      say(
        failed.length
          ? `This browser did not keep ${failed.length} of ${keys.length} entries: its storage is blocked or full. The file is as it was.`
          : `Brought back ${keys.length} entries.`
      );
    };
    const file = element("input", { type: "file", accept: ".json,application/json", hidden: true });
    file.setAttribute("aria-label", "A file that this page saved");
    file.addEventListener("change", () => file.files[0] && load(file.files[0]).then(() => (file.value = "")));
    const erase = element("button", { type: "button", textContent: "Erase" });
    const really = () => {
      const names = kept();
      if (!names?.length) return say(names ? "There is nothing to erase." : `${DENIED}erase.`);
      if (erase.dataset.sure) {
        names.forEach((key) => localStorage.removeItem(key));
        refresh();
        say(`Erased ${names.length} entries.`);
      }
      erase.dataset.sure = erase.dataset.sure ? "" : "yes";
      erase.textContent = erase.dataset.sure ? "Really erase all of it?" : "Erase";
    };
    erase.addEventListener("click", really);
    erase.addEventListener("blur", () => {
      erase.dataset.sure = "";
      erase.textContent = "Erase";
    });
    const button = (text, action) => {
      const made = element("button", { type: "button", textContent: text });
      made.addEventListener("click", action);
      return made;
    };
    root.querySelector(".ck-actions").append(
      button("Save to a file", save),
      button("Bring back from a file", () => file.click()),
      erase,
      file,
    );
    refresh();
    window.addEventListener("storage", refresh);
    window.addEventListener("pageshow", refresh);
  }

  const begin = () => {
    watch();
    document.querySelectorAll(".ck-progress[data-course]").forEach(show);
  };
  document.readyState === "loading" ? document.addEventListener("DOMContentLoaded", begin) : begin();
})();
