// The clinic: asks for the cause of recorded runs, and brings them back after growing intervals. The markup comes from
// coursekit/interactive/clinic.py; the picture is an explorer with one control, case. What the reader knows stays here.
(() => {
  "use strict";
  const DAY = 86400000;
  const FORGET = "Forget my progress";
  const memory = window.ckMemory; // memory.js: what this browser remembers

  class Clinic {
    constructor(root) {
      this.root = root;
      this.name = `clinic:${root.dataset.name}`;
      const bytes = Uint8Array.from(atob(root.dataset.secret), (letter) => letter.charCodeAt(0));
      Object.assign(this, JSON.parse(new TextDecoder().decode(bytes))); // days, retry, signs, remedies, cases
      this.picture = root.querySelector(".ck-explorer");
      this.form = root.querySelector("form");
      this.options = root.querySelector(".ck-clinic-options");
      this.reply = root.querySelector(".ck-reply");
      this.status = root.querySelector(".ck-clinic-progress");
      this.check = this.form.querySelector("button");
      this.following = this.button("Next case", () => this.next(true));
      this.afresh = this.button(FORGET, () => this.forget());
      this.afresh.addEventListener("blur", () => this.unsure());
      this.check.after(this.following);
      this.status.after(this.afresh);
      this.legend = this.form.querySelector("legend");
      this.legend.tabIndex = -1;
      this.refresh();
      // What another tab answers is seen here at once.
      addEventListener("storage", (event) => {
        if (event.key !== memory.PREFIX + this.name && event.key !== null) return;
        this.refresh();
        if (this.shown) this.tell();
      });
      if (!this.picture.ck?.controls) {
        this.status.textContent = "The pictures of the cases were not prepared, so nothing can be asked here.";
        this.afresh.hidden = true;
        return;
      }
      this.form.hidden = false;
      this.form.addEventListener("submit", (event) => {
        event.preventDefault();
        this.answer();
      });
      // The question follows the picture, whoever moved the slider.
      this.picture.addEventListener("ck:shown", (event) => {
        if (event.detail.values.case !== this.shown) this.ask(event.detail.values.case);
      });
      if (location.hash.includes("clinic-case.case=")) this.ask(this.control().value);
      else this.next();
    }

    button(text, click) {
      const made = document.createElement("button");
      Object.assign(made, { type: "button", textContent: text });
      made.addEventListener("click", click);
      return made;
    }

    control() {
      return this.picture.ck.controls[0];
    }

    // ---- what is remembered: cases[number] = {box, due (ms) or after (count)}, and how many answers were given
    read() {
      const kept = memory.get(this.name);
      if (kept && typeof kept.count === "number" && typeof kept.cases === "object" && kept.cases) return kept;
      return { count: 0, cases: {} }; // nothing kept, or nothing that can be read: start afresh
    }

    // Another tab may have answered since: what is written is always read just before.
    refresh() {
      if (!this.lost) this.kept = this.read();
    }

    write() {
      // Storage is blocked or full: the progress then lasts as long as the page, and tell() says so.
      if (!memory.set(this.name, this.kept)) this.lost = true;
    }

    // ---- which case comes next
    choose(now) {
      this.refresh();
      const { count, cases } = this.kept;
      const numbers = this.cases.map((_, index) => index + 1);
      const wrong = numbers.filter((n) => cases[n]?.after !== undefined);
      const due = numbers.filter((n) => cases[n]?.due <= now).sort((a, b) => cases[a].due - cases[b].due);
      const groups = [
        wrong.filter((n) => cases[n].after <= count),
        due,
        numbers.filter((n) => !cases[n]),
        wrong.sort((a, b) => cases[a].after - cases[b].after),
      ];
      const group = groups.find((some) => some.length);
      if (!group) return null;
      const last = this.shown && this.cases[this.shown - 1].cause;
      return group.find((n) => this.cases[n - 1].cause !== last) ?? group[0];
    }

    // `focus`: the reader asked for it, so the case comes into view, and the question gets the focus.
    next(focus = false) {
      const number = this.choose(Date.now());
      if (number === null) {
        const soonest = Math.min(...Object.values(this.kept.cases).map((known) => known.due));
        const days = Math.max(1, Math.ceil((soonest - Date.now()) / DAY));
        this.say(`Nothing is due. The next case comes back in ${days} day${days > 1 ? "s" : ""}. Any case can be looked at with the slider.`);
        this.following.hidden = true;
        if (focus) this.legend.focus();
        return;
      }
      this.ask(number);
      if (!focus) return;
      this.legend.focus({ preventScroll: true });
      this.root.scrollIntoView({ block: this.root.offsetHeight > innerHeight ? "start" : "nearest" });
    }

    ask(number) {
      this.shown = number;
      const control = this.control();
      if (control.value !== number) {
        control.value = number;
        this.picture.ck.changed();
      }
      const { options } = this.cases[number - 1];
      this.options.replaceChildren(
        ...window.ckQuestions.order(`${this.root.dataset.name}-${number}`, options.length).map((index) => {
          const label = document.createElement("label");
          label.className = "ck-option";
          const input = document.createElement("input");
          Object.assign(input, { type: "radio", name: this.root.id, value: index, required: true });
          const span = document.createElement("span");
          span.textContent = options[index];
          label.append(input, span);
          return label;
        })
      );
      this.reply.replaceChildren();
      this.root.classList.remove("ck-answered");
      this.check.hidden = false;
      this.following.hidden = true;
      this.tell();
    }

    answer() {
      const fields = [...this.options.querySelectorAll("input")];
      const given = Number(fields.find((field) => field.checked).value);
      const right = given === this.cases[this.shown - 1].answer;
      this.refresh();
      const { cases } = this.kept;
      this.kept.count += 1;
      const box = right ? Math.min((cases[this.shown]?.box ?? 0) + 1, this.days.length) : 0;
      cases[this.shown] = right
        ? { box, due: Date.now() + this.days[box - 1] * DAY }
        : { box, after: this.kept.count + this.retry };
      this.write();
      fields.forEach((field) => (field.disabled = true));
      this.mark(given, right);
      this.root.classList.add("ck-answered");
      this.say(this.told(this.shown, given));
      this.check.hidden = true;
      this.following.hidden = false;
      this.following.focus({ preventScroll: true });
      this.tell();
      this.root.dispatchEvent(new CustomEvent("ck:diagnosed", { bubbles: true, detail: { case: this.shown, right } }));
    }

    mark(given, right) {
      const put = (index, name, text) => {
        const label = this.options.querySelector(`input[value="${index}"]`).parentElement;
        label.classList.add(name);
        const made = document.createElement("span");
        Object.assign(made, { className: "ck-verdict", textContent: text });
        label.append(made);
      };
      if (!right) put(given, "ck-is-wrong", "✗ your answer");
      put(this.cases[this.shown - 1].answer, "ck-is-right", "✓ right");
    }

    // The same words as in clinic.py.
    told(number, given) {
      const { cause, told, options } = this.cases[number - 1];
      const chosen = options[given];
      const truth = `${told}. The sign: ${this.signs[cause]}. What to do: ${this.remedies[cause]}.`;
      if (chosen === cause) return `Right. ${truth}`;
      return `Not quite. With \u201c${chosen}\u201d ${this.signs[chosen]}. Here it is \u201c${cause}\u201d: ${truth}`;
    }

    say(text) {
      const made = document.createElement("p");
      made.textContent = text;
      this.reply.replaceChildren(made);
    }

    tell() {
      const known = Object.values(this.kept.cases);
      const solved = known.filter((one) => one.box > 0).length;
      const waiting = known.length - solved;
      const due = known.filter((one) => one.due <= Date.now()).length;
      this.status.textContent =
        `Case ${this.shown} of ${this.cases.length}. Solved: ${solved}. To be asked again: ${waiting + due}. ` +
        `New: ${this.cases.length - known.length}. ` +
        (this.lost
          ? "This browser does not keep your progress: its storage is blocked or full. It lasts until you leave the page."
          : "Your progress is kept in this browser only.");
      this.afresh.hidden = !known.length;
    }

    // Forgetting cannot be undone, so it takes a second click.
    forget() {
      this.refresh();
      const count = Object.keys(this.kept.cases).length;
      if (!this.afresh.dataset.sure) {
        this.afresh.dataset.sure = "yes";
        this.afresh.textContent = `Really forget ${count} case${count === 1 ? "" : "s"}?`;
        return;
      }
      this.unsure();
      this.kept = { count: 0, cases: {} };
      memory.set(this.name, null); // where it cannot, nothing can have been kept
      this.shown = undefined;
      this.next(true);
    }

    unsure() {
      this.afresh.dataset.sure = "";
      this.afresh.textContent = FORGET;
    }
  }

  const begin = () => document.querySelectorAll(".ck-clinic").forEach((root) => (root.ck = new Clinic(root)));
  document.readyState === "loading" ? document.addEventListener("DOMContentLoaded", begin) : begin();
})();
