// The review: questions that were answered come back when FSRS says so, mixed over the chapters. review.py made the page
// and the questions, ts-fsrs computes the intervals, predict.js asks. What the reader knew stays in this browser.
(() => {
  "use strict";
  const { Prediction } = window.ckQuestions;
  const memory = window.ckMemory;
  const BASE = new URL("ck/questions/", document.currentScript.src);
  const scheduler = FSRS.fsrs({ enable_short_term: false });
  const { Again, Good } = FSRS.Rating;

  const element = (tag, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };
  const many = (count, one, more = `${one}s`) => `${count} ${count === 1 ? one : more}`;

  // ---------------------------------------------------------------- the questions, a file for each chapter
  const packs = new Map();
  window.ckReviewPack = (chapter, questions) => packs.set(chapter, questions);
  function load(chapter) {
    if (packs.has(chapter)) return Promise.resolve(packs.get(chapter));
    return new Promise((resolve, reject) => {
      const script = element("script", { src: new URL(`${chapter}.js`, BASE).href, async: true });
      script.onload = () => (packs.has(chapter) ? resolve(packs.get(chapter)) : script.onerror());
      script.onerror = () => {
        script.remove();
        reject(new Error("the file with this chapter's questions could not be loaded"));
      };
      document.head.append(script);
    });
  }

  // ---------------------------------------------------------------- what this reader knew
  // A card is FSRS's record of one question. The answer in the chapter's quiz is its first review.
  const good = (card) => card && Number.isFinite(card.stability) && Number.isFinite(Date.parse(card.due));
  function cardOf(name) {
    const kept = memory.get(`review:${name}`);
    if (good(kept)) return kept;
    const first = memory.get(`predict:${name}`);
    const when = first && new Date(first.when ?? 0);
    if (!first || Number.isNaN(when.getTime())) return null;
    return scheduler.next(FSRS.createEmptyCard(when), when, first.right ? Good : Again).card;
  }

  class Review {
    constructor(root) {
      this.root = root;
      this.course = JSON.parse(root.dataset.course);
      this.status = element("p", { className: "ck-review-status" });
      this.status.setAttribute("role", "status");
      this.place = element("div", { className: "ck-review-place" });
      root.replaceChildren(this.status, this.place);
      this.next();
    }

    // All questions that were answered, with their cards, and those of chapters that were begun but not asked yet.
    look(now = new Date()) {
      const due = [];
      const later = [];
      const fresh = [];
      for (const chapter of this.course) {
        const begun = memory.get(`read:${chapter.page}`)?.seen?.length > 0;
        for (const name of chapter.questions) {
          const card = cardOf(name);
          if (!card) begun && fresh.push({ name, chapter });
          else (new Date(card.due) <= now ? due : later).push({ name, chapter, card, due: new Date(card.due) });
        }
      }
      due.sort((a, b) => a.due - b.due);
      later.sort((a, b) => a.due - b.due);
      return { due, later, fresh };
    }

    // The one that has waited longest, of another chapter than the last if there is one.
    choose(some) {
      return some.find((one) => one.chapter.chapter !== this.last) ?? some[0];
    }

    next(focus = false) {
      const { due, later, fresh } = this.look();
      this.tell(due, later, fresh);
      if (due.length) return this.ask(this.choose(due), focus);
      const parts = [];
      if (!later.length && !fresh.length) {
        parts.push(
          element(
            "p",
            {},
            "Answer the quiz at the end of a chapter: its questions come back here, the ones that you got wrong after " +
              "a day, the others after some days, and then after longer and longer times."
          )
        );
      }
      if (fresh.length) {
        const one = this.choose(fresh);
        const button = element("button", { type: "button", textContent: "Ask me one of these" });
        button.addEventListener("click", () => this.ask(one, true));
        const from = [...new Set(fresh.map((some) => some.chapter.title))].join("; ");
        parts.push(element("p", {}, `${many(fresh.length, "question")} of chapters that you have begun ${fresh.length === 1 ? "has" : "have"} not been asked yet (${from}). `, button));
      }
      this.place.replaceChildren(...parts);
      if (focus) (this.place.querySelector("button") ?? this.focusable(this.status)).focus();
    }

    focusable(made) {
      made.tabIndex = -1;
      return made;
    }

    tell(due, later, fresh) {
      const chapters = new Set(due.map((one) => one.chapter.chapter)).size;
      const texts = [];
      if (due.length) texts.push(`${many(due.length, "question")} ${due.length === 1 ? "is" : "are"} due, from ${many(chapters, "chapter")}.`);
      else texts.push(later.length || fresh.length ? "Nothing is due." : "Nothing to review yet.");
      if (!due.length && later.length) texts.push(`The next question comes back ${this.inDays(later[0].due)}.`);
      if (later.length) texts.push(`${many(later.length, "question")} ${later.length === 1 ? "waits" : "wait"} for later.`);
      this.status.textContent = texts.join(" ");
    }

    inDays(due) {
      const days = Math.max(1, Math.ceil((due - Date.now()) / 86400000));
      return days === 1 ? "within a day" : `in ${days} days`;
    }

    async ask(one, focus) {
      this.place.replaceChildren();
      let html;
      try {
        html = (await load(one.chapter.chapter))[one.name];
      } catch (error) {
        this.place.replaceChildren(element("p", { textContent: `This question is missing: ${error.message}. Load the page again when you are online.` }));
        return;
      }
      this.last = one.chapter.chapter;
      const from = element("p", { className: "ck-review-from", textContent: `Chapter ${one.chapter.title}` });
      this.place.replaceChildren(from);
      this.place.insertAdjacentHTML("beforeend", html ?? "");
      const root = this.place.querySelector(".ck-predict");
      root.ck = new Prediction(root, true);
      root.addEventListener("ck:predicted", (event) => this.answered(one, event.detail.right, root), { once: true });
      if (focus) this.focusable(root.querySelector("legend")).focus();
    }

    answered(one, right, root) {
      const actions = root.querySelector(".ck-actions");
      const button = (text, rating, main) => {
        const made = element("button", { type: "button", textContent: text, className: main ? "ck-main" : "" });
        made.addEventListener("click", () => this.keep(one, rating, right));
        return made;
      };
      const choices = right
        ? [button("I knew it: next", Good, true), button("I guessed: next", Again, false)]
        : [button("Next", Again, true)];
      actions.append(...choices);
      choices[0].focus();
    }

    keep(one, rating, right) {
      const now = new Date();
      const before = cardOf(one.name) ?? FSRS.createEmptyCard(now); // read again: another tab may have asked it
      const { card } = scheduler.next(before, now, rating);
      const kept = memory.set(`review:${one.name}`, card);
      if (!memory.get(`predict:${one.name}`)) memory.set(`predict:${one.name}`, { answer: null, right, when: now.toISOString() });
      if (kept) this.next(true);
      else {
        this.status.textContent = "This browser did not keep your answer: its storage is blocked or full. Without it nothing can be brought back.";
        this.place.replaceChildren();
        this.focusable(this.status).focus();
      }
      this.root.dispatchEvent(new CustomEvent("ck:reviewed", { bubbles: true, detail: { name: one.name, card } }));
    }
  }

  const begin = () => document.querySelectorAll(".ck-review[data-course]").forEach((root) => (root.ck = new Review(root)));
  document.readyState === "loading" ? document.addEventListener("DOMContentLoaded", begin) : begin();
})();
