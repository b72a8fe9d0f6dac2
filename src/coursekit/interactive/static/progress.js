// What this reader has done, kept in this browser only: sections seen, predictions made, quiz questions answered.
// The first page shows it (progress.py made the table), and lets the reader keep a copy, bring it back, or erase it.
(() => {
  "use strict";
  const { PREFIX, get: read, set: write, names: kept } = window.ckMemory; // memory.js
  const DENIED = "This browser does not let the page keep anything (its storage is blocked), so there is nothing to ";
  const element = (tag, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };

  // A section counts as read when its end has been on the screen, and the section for as long as one needs to skim it:
  // ten words a second. Whoever scrolls to the end of a chapter has not read it, nor who leaves its results covered.
  const PACE = 10;
  const LONGEST = 40; // seconds; a section may hold a long table
  const pageOf = (address) => new URL(address, location.href).pathname.match(/chapters\/[^/]+$/)?.[0];

  function watch() {
    const page = pageOf(location.href);
    if (!page) return;
    const key = `read:${page}`;
    const sections = [...document.querySelectorAll("article section")].filter((s) => s.querySelector(":scope > h2"));
    const heading = (section) => section.querySelector("h1, h2").firstChild.textContent.trim();
    const chapter = document.title.split(" \u2014 ")[0];
    const spent = new Map(sections.map((section) => [section, { seconds: 0, ended: false }]));
    const needed = (section) => Math.min(LONGEST, Math.max(2, section.innerText.split(/\s+/).length / PACE));
    let here = null;
    const look = () => {
      if (document.visibilityState !== "visible") return;
      for (const section of sections) {
        const { top, bottom } = section.getBoundingClientRect();
        const state = spent.get(section);
        const covered = section.querySelector(".ck-covering"); // by a prediction: its end is not on the screen yet
        if (!covered && bottom > 0 && bottom <= innerHeight + 2) state.ended = true;
        if (top > innerHeight * 0.7 || bottom < innerHeight * 0.3) continue;
        state.seconds++;
        if (section !== here && state.seconds > 2) {
          here = section;
          write("last", { page, anchor: section.id, section: heading(section), chapter, when: new Date().toISOString() });
        }
      }
      const fresh = sections.filter((section) => spent.get(section).ended && spent.get(section).seconds >= needed(section));
      if (!fresh.length) return;
      const seen = new Set(read(key)?.seen ?? []);
      const before = seen.size;
      fresh.forEach(({ id }) => seen.add(id));
      if (seen.size > before) write(key, { seen: [...seen], of: sections.length, when: new Date().toISOString() });
    };
    setInterval(look, 1000);
  }

  // The list of chapters beside the text: those that were read have a tick.
  function tick() {
    for (const link of document.querySelectorAll(".bd-links a[href]")) {
      const page = link.getAttribute("href") === "#" ? pageOf(location.href) : pageOf(link.href);
      const was = page && read(`read:${page}`);
      link.classList.toggle("ck-done", Boolean(was?.of) && was.seen.length >= was.of);
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
      const last = read("last");
      const on = root.querySelector(".ck-continue");
      on.hidden = !/^chapters\/[\w.]+$/.test(last?.page);
      if (!on.hidden) {
        const place = element("a", { href: `${last.page}#${last.anchor}`, textContent: `${last.chapter}: ${last.section}` });
        on.replaceChildren("Continue here: ", place);
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
      const all = Object.fromEntries(names.map((name) => [PREFIX + name, read(name)]));
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
        names.forEach((name) => write(name, null));
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
    tick();
    document.querySelectorAll(".ck-progress[data-course]").forEach(show);
  };
  document.readyState === "loading" ? document.addEventListener("DOMContentLoaded", begin) : begin();
})();
