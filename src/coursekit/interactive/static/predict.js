// Predictions and the questions of a quiz. No library, no request to another host, nothing sent anywhere.
// The markup comes from coursekit/interactive/predict.py, answers.py and sketch.py, whose words are repeated here.
(() => {
  "use strict";

  const memory = window.ckMemory; // memory.js: what this browser remembers

  // ---------------------------------------------------------------- each reader's own order of the options
  let seed = null;
  function own() {
    seed ??= memory.get("seed");
    if (!Number.isInteger(seed)) memory.set("seed", (seed = Math.floor(Math.random() * 2 ** 31)));
    return seed;
  }

  function order(name, count) {
    let state = 2166136261;
    for (const letter of `${own()}:${name}`) state = Math.imul(state ^ letter.codePointAt(0), 16777619);
    for (const factor of [0x85ebca6b, 0xc2b2ae35]) state = Math.imul(state ^ (state >>> 15), factor); // stir well
    state ^= state >>> 16;
    const random = () => {
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    };
    const places = [...Array(count).keys()];
    for (let k = count - 1; k > 0; k--) {
      const other = Math.floor(random() * (k + 1));
      [places[k], places[other]] = [places[other], places[k]];
    }
    return places;
  }

  // ---------------------------------------------------------------- numbers as people type them: numbers_typed.py
  const SIGNS = { "−": "-", "–": "-", "×": "*", "·": "*", "÷": "/", ":": "/", π: "pi", "√": "sqrt", "**": "^", "²": "^2" };
  const CONSTANTS = { e: Math.E, pi: Math.PI };
  const FUNCTIONS = { ln: Math.log, log: Math.log10, log10: Math.log10, sqrt: Math.sqrt, exp: Math.exp };
  const TOKEN = /\s*(?:(\d+\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?)|([a-z]+(?:10)?)|([-+*/^()%]))/y;

  function readings(typed) {
    let text = typed.trim().toLowerCase();
    if (!text || text.length > 60) return [];
    for (const [sign, plain] of Object.entries(SIGNS)) text = text.replaceAll(sign, plain);
    text = text.replace(/(\d)[\s'\u2009\u202f\u00a0](?=\d{3}(?!\d))/g, "$1");
    const spellings = [text];
    if (text.includes(",")) {
      const thousands = text.replace(/(?<![\d.])([1-9]\d{0,2})((?:,\d{3})+)(?!\d)/g, (all) => all.replaceAll(",", ""));
      spellings.splice(0, 1, ...(thousands.includes(",") ? [] : [thousands]), text.replaceAll(",", "."));
    }
    return [...new Set(spellings.map(value).filter(Number.isFinite))];
  }

  function value(text) {
    const tokens = [];
    TOKEN.lastIndex = 0;
    while (TOKEN.lastIndex < text.trimEnd().length) {
      const match = TOKEN.exec(text);
      if (!match) return NaN;
      tokens.push(match[0].trim());
    }
    let place = 0;
    const is = (signs) => place < tokens.length && signs.includes(tokens[place]);
    const sum = () => {
      let number = product();
      while (is("+-")) number = tokens[place++] === "+" ? number + product() : number - product();
      return number;
    };
    const product = () => {
      let number = signed();
      while (is("*/")) number = tokens[place++] === "*" ? number * signed() : number / signed();
      return number;
    };
    const signed = () => (is("+-") ? (tokens[place++] === "-" ? -signed() : signed()) : power());
    const power = () => {
      let number = atom();
      if (is("^")) {
        place++;
        number = number ** signed();
      }
      for (; is("%"); place++) number /= 100;
      return number;
    };
    const atom = () => {
      const first = tokens[place++];
      if (first === "(") {
        const number = sum();
        return tokens[place++] === ")" ? number : NaN;
      }
      if (first in CONSTANTS) return CONSTANTS[first];
      if (first in FUNCTIONS) return FUNCTIONS[first](is("(") ? atom() : power());
      return /^[\d.]/.test(first ?? "") ? Number(first) : NaN;
    };
    const number = sum();
    return place === tokens.length ? number : NaN;
  }

  const short = (number) => {
    const whole = Number.isInteger(number) && Math.abs(number) < 1e6;
    return set(String(whole ? number : Number(number.toPrecision(Math.abs(number) < 100 ? 2 : 3))));
  };
  // A number as the page sets it (`_typography.py`): 1e-7 is 10⁻⁷, 4.1e-9 is 4.1 × 10⁻⁹, -0.5 is −0.5.
  const set = (text) =>
    text
      .replace(/^(-?)([\d.]+)e([+-]?)(\d+)$/, (_, minus, digits, sign, power) => {
        const raised = "10" + (sign === "-" ? "⁻" : "") + power.replace(/\d/g, (digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]);
        return minus + (digits === "1" ? raised : `${digits}\u00a0×\u00a0${raised}`);
      })
      .replace(/^-/, "−");

  // ---------------------------------------------------------------- the kinds of answers
  // Each has read() -> what was given, or null; fill(given) -> whether it can be; right(given); verdict and told(given);
  // show(given) marks it, clear() takes it back. `empty` is said where nothing was given.
  class Kind {
    constructor(form, secret, name) {
      Object.assign(this, { form, secret, name });
      this.fields = [...form.querySelectorAll("input")];
      this.set();
    }
    set() {}
    verdict(given) {
      return this.right(given) ? this.secret.good : this.secret.bad;
    }
    show() {
      this.fields.forEach((field) => (field.disabled = true));
    }
    clear() {
      this.fields.forEach((field) => (field.disabled = field.checked = false));
      this.form.querySelectorAll(".ck-option").forEach((label) => {
        label.classList.remove("ck-is-right", "ck-is-wrong");
        label.querySelector(".ck-verdict")?.remove();
      });
    }
    focus() {
      this.form.querySelector("input, ol button")?.focus();
    }
    mark(index, right, text) {
      const label = this.fields.find((field) => Number(field.value) === index).closest("label");
      label.classList.add(right ? "ck-is-right" : "ck-is-wrong");
      const made = document.createElement("span");
      made.className = "ck-verdict";
      made.textContent = text;
      label.append(made);
    }
  }

  class Choice extends Kind {
    empty = "Please choose an answer first.";
    set() {
      const box = this.form.querySelector(".ck-options");
      const labels = [...(box?.children ?? [])];
      if (box) box.append(...order(this.name, labels.length).map((index) => labels[index]));
      this.fields = [...this.form.querySelectorAll("input")];
    }
    read() {
      const field = this.fields.find((input) => input.checked);
      return field ? Number(field.value) : null;
    }
    fill(given) {
      const field = this.fields.find((input) => Number(input.value) === given);
      if (field) field.checked = true;
      return Boolean(field);
    }
    right(given) {
      return given === this.secret.right;
    }
    told(given) {
      return this.secret.told[given];
    }
    show(given) {
      super.show();
      if (given !== this.secret.right) this.mark(given, false, "✗ your answer");
      this.mark(this.secret.right, true, "✓ right");
    }
  }

  class Line extends Choice {}

  class Several extends Choice {
    empty = "Please tick at least one answer.";
    read() {
      const given = this.fields.filter((input) => input.checked).map((input) => Number(input.value));
      return given.length ? given.sort((a, b) => a - b) : null;
    }
    fill(given) {
      if (!Array.isArray(given)) return false;
      this.fields.forEach((field) => (field.checked = given.includes(Number(field.value))));
      return true;
    }
    right(given) {
      return given.join() === this.secret.right.join();
    }
    told(given) {
      const { told, right } = this.secret;
      const wrong = [...told.keys()].filter((index) => given.includes(index) !== right.includes(index));
      const texts = wrong.map((index) => `“${this.text(index)}”: ${told[index]}`);
      return (texts.length ? texts : right.map((index) => told[index])).join(" ");
    }
    text(index) {
      return this.fields.find((field) => Number(field.value) === index).nextElementSibling.textContent;
    }
    show(given) {
      Kind.prototype.show.call(this);
      this.secret.right.forEach((index) => this.mark(index, true, given.includes(index) ? "✓ right" : "✓ right, not ticked"));
      given.filter((index) => !this.secret.right.includes(index)).forEach((index) => this.mark(index, false, "✗ your answer"));
    }
  }

  class NumberTyped extends Kind {
    empty = "Please give a number, such as 0.5, 1/2, 50 %, ln 10 or 3e-4.";
    read() {
      const typed = this.fields[0].value;
      const found = readings(this.secret.percent ? typed.replace(/%\s*$/, "") : typed);
      return found.find((number) => this.right(number)) ?? found[0] ?? null;
    }
    fill(given) {
      if (typeof given !== "number") return false;
      this.fields[0].value = given;
      return true;
    }
    near(given, number, tolerance) {
      return Math.abs(given - number) <= tolerance * Math.abs(number) + 1e-12;
    }
    right(given) {
      return this.near(given, this.secret.answer, this.secret.tolerance);
    }
    verdict(given) {
      const { answer } = this.secret;
      if (this.right(given)) return this.secret.good;
      if (given * answer <= 0) return `Your number is off by ${short(Math.abs(given - answer))}.`;
      const ratio = given / answer;
      const times = Math.max(ratio, 1 / ratio);
      const words = times > 1000 ? "more than 1,000" : short(times);
      return `Your number is ${words} times too ${ratio > 1 ? "large" : "small"}.`;
    }
    told(given) {
      const { mistakes, tolerance, told } = this.secret;
      const named = this.right(given) ? null : mistakes.find(([number]) => this.near(given, number, Math.min(tolerance, 0.02)));
      return named ? `${named[1]} ${told}` : told;
    }
    clear() {
      super.clear();
      this.fields[0].value = "";
    }
  }

  class Order extends Kind {
    set() {
      this.list = this.form.querySelector("ol");
      const rows = [...this.list.children].sort((a, b) => a.dataset.item - b.dataset.item);
      let mixed = order(this.name, rows.length);
      if (mixed.every((item, place) => item === place)) mixed = [...mixed.slice(1), mixed[0]];
      this.first = mixed;
      this.fill(mixed);
      this.list.addEventListener("click", (event) => {
        const step = Number(event.target.closest("button")?.dataset.move);
        const row = event.target.closest("li");
        const other = step < 0 ? row?.previousElementSibling : step > 0 && row?.nextElementSibling;
        if (!other || event.target.disabled) return;
        step < 0 ? other.before(row) : other.after(row);
        event.target.closest("button").focus();
      });
    }
    read() {
      return [...this.list.children].map((row) => Number(row.dataset.item));
    }
    fill(given) {
      const rows = [...this.list.children];
      if (!Array.isArray(given) || [...given].sort((a, b) => a - b).join() !== [...rows.keys()].join()) return false;
      this.list.append(...given.map((item) => rows.find((row) => Number(row.dataset.item) === item)));
      return true;
    }
    right(given) {
      return given.every((item, place) => item === place);
    }
    told(given) {
      return this.right(given) ? "" : this.secret.told;
    }
    show() {
      this.list.querySelectorAll("button").forEach((button) => (button.disabled = true));
    }
    clear() {
      this.list.querySelectorAll("button").forEach((button) => (button.disabled = false));
      this.fill(this.first);
    }
  }

  class Curve extends Kind {
    empty = "Please draw the line first: one stroke across the picture, or the arrow keys on its points.";
    set() {
      this.sketch = this.form.querySelector(".ck-sketch");
      this.svg = this.sketch.querySelector("svg");
      const rules = [...this.svg.querySelectorAll(".ck-rule")];
      const heights = rules.map((rule) => Number(rule.getAttribute("y1")));
      [this.bottom, this.top] = [Math.max(...heights), Math.min(...heights)];
      [this.left, this.right_] = ["x1", "x2"].map((end) => Number(rules[0].getAttribute(end)));
      this.levels = this.fields.map(() => null);
      this.fields.forEach((field, index) => {
        field.addEventListener("input", () => this.put(index, Number(field.value)));
        field.addEventListener("keydown", (event) => {
          const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
          if (!step) return;
          event.preventDefault();
          this.fields[index + step]?.focus();
        });
      });
      for (const kind of ["pointerdown", "pointermove", "pointerup", "pointercancel"]) {
        this.sketch.addEventListener(kind, (event) => this.stroke(event));
      }
      this.draw();
    }
    // One stroke: every point that it passes takes the height at which it was passed.
    stroke(event) {
      if (event.type === "pointerdown") {
        if (event.button || this.fields[0].disabled) return;
        event.preventDefault();
        this.sketch.setPointerCapture(event.pointerId);
        this.pen = event.pointerId;
        this.last = null;
      }
      if (event.pointerId !== this.pen) return;
      const box = this.svg.getBoundingClientRect();
      const view = this.svg.viewBox.baseVal;
      const across = ((event.clientX - box.left) / box.width) * view.width;
      const up = ((event.clientY - box.top) / box.height) * view.height;
      const steps = this.fields.length - 1;
      const here = {
        at: Math.min(1, Math.max(0, (across - this.left) / (this.right_ - this.left))) * steps,
        level: Math.min(100, Math.max(0, ((this.bottom - up) / (this.bottom - this.top)) * 100)),
      };
      const from = this.last ?? here;
      const [low, high] = [Math.min(from.at, here.at), Math.max(from.at, here.at)];
      for (let index = Math.ceil(low); index <= high; index++) {
        const part = here.at === from.at ? 1 : (index - from.at) / (here.at - from.at);
        this.levels[index] = from.level + (here.level - from.level) * part;
      }
      // Where a stroke begins and ends it sets the nearest point, and so does a tap.
      if (!this.last || event.type === "pointerup") this.levels[Math.round(here.at)] = here.level;
      this.last = here;
      if (event.type === "pointerup" || event.type === "pointercancel") this.pen = null;
      this.draw();
    }
    put(index, level) {
      this.levels[index] = level;
      this.draw();
    }
    // The drawn points, and between and beyond them a straight line.
    whole() {
      const drawn = this.levels.flatMap((level, index) => (level === null ? [] : [index]));
      return this.levels.map((level, index) => {
        if (level !== null) return Math.round(level);
        const before = drawn.findLast((other) => other < index) ?? drawn[0];
        const after = drawn.find((other) => other > index) ?? drawn.at(-1);
        const part = after === before ? 0 : Math.min(1, Math.max(0, (index - before) / (after - before)));
        return Math.round(this.levels[before] + (this.levels[after] - this.levels[before]) * part);
      });
    }
    number(level) {
      const { low, high, log } = this.sketch.dataset;
      return Number(log) ? low * (high / low) ** (level / 100) : Number(low) + ((high - low) * level) / 100;
    }
    draw() {
      const begun = this.levels.some((level) => level !== null);
      const levels = begun ? this.whole() : this.levels.map(() => 50);
      const box = this.svg.viewBox.baseVal;
      this.sketch.classList.toggle("ck-begun", begun);
      const points = levels.map((level, index) => {
        const y = this.bottom + ((this.top - this.bottom) * level) / 100;
        const field = this.fields[index];
        field.value = level;
        field.style.top = `${(100 * y) / box.height}%`;
        field.setAttribute("aria-valuetext", begun ? short(this.number(level)) : "not drawn yet");
        return `${(parseFloat(field.style.left) / 100) * box.width},${y}`;
      });
      const line = this.svg.querySelector("polyline.ck-drawn");
      begun ? line.setAttribute("points", points.join(" ")) : line.removeAttribute("points");
    }
    read() {
      return this.levels.some((level) => level !== null) ? this.whole() : null;
    }
    fill(given) {
      if (!Array.isArray(given) || given.length !== this.levels.length || !given.every(Number.isFinite)) return false;
      this.levels = [...given];
      this.draw();
      return true;
    }
    near(given) {
      return given.filter((level, index) => Math.abs(level - this.secret.levels[index]) <= 10).length;
    }
    right(given) {
      return this.near(given) === given.length;
    }
    verdict(given) {
      const { levels } = this.secret;
      const count = this.near(given);
      if (count === levels.length)
        return `You drew what the run gives: ${count} of ${count} points lie within a tenth of the axis.`;
      const off = given.map((level, index) => Math.abs(level - levels[index]));
      const worst = off.indexOf(Math.max(...off));
      const { x, stops } = this.sketch.dataset;
      return (
        `${count} of your ${levels.length} points lie within a tenth of the axis of what the run gives. ` +
        `At ${x} ${stops.split(" ")[worst]} you drew ${short(this.number(given[worst]))}, ` +
        `the run gives ${short(this.number(levels[worst]))}.`
      );
    }
    told() {
      return this.secret.told;
    }
    show() {
      super.show();
      this.sketch.classList.add("ck-done");
      this.svg.querySelector("polyline.ck-truth").setAttribute("points", this.secret.points);
    }
    clear() {
      super.clear();
      this.levels.fill(null);
      this.sketch.classList.remove("ck-done");
      this.svg.querySelector("polyline.ck-truth").removeAttribute("points");
      this.draw();
    }
  }

  const KINDS = { choice: Choice, several: Several, number: NumberTyped, order: Order, line: Line, curve: Curve };

  // ---------------------------------------------------------------- one prediction or question
  const element = (tag, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };

  class Prediction {
    // In the review (`review` true) an answer is given afresh each time, and kept by the review.
    constructor(root, review = false) {
      Object.assign(this, { root, review, name: root.dataset.name, key: `predict:${root.dataset.name}` });
      this.form = root.querySelector("form");
      this.reply = root.querySelector(".ck-reply");
      this.button = this.form.querySelector("button[type=submit]");
      this.button.classList.add("ck-main");
      this.then = root.querySelector(".ck-then");
      this.again = element("button", { type: "button", textContent: "Answer again", hidden: true });
      this.again.addEventListener("click", () => this.forget());
      this.button.after(this.again);
      const bytes = Uint8Array.from(atob(root.dataset.secret), (letter) => letter.charCodeAt(0));
      this.secret = JSON.parse(new TextDecoder().decode(bytes));
      this.kind = new KINDS[this.secret.kind](this.form, this.secret, this.name);
      this.form.addEventListener("submit", (event) => {
        event.preventDefault();
        this.commit();
      });
      this.cover();
      const kept = review ? null : memory.get(this.key);
      if (kept && this.kind.fill(kept.answer)) this.reveal(kept.answer);
    }

    // What stays out of sight until there is an answer: `then`, and the rest of the section.
    cover() {
      this.then?.classList.add("ck-covered");
      if (this.review || !this.root.dataset.covers) return;
      const section = this.root.closest("section");
      if (!section || section.querySelector(":scope > h1")) return;
      this.block = this.root;
      while (this.block.parentElement !== section) this.block = this.block.parentElement;
      const open = element("button", { type: "button", textContent: "Show it without answering" });
      open.addEventListener("click", () => this.uncover(true));
      this.note = element("p", { className: "ck-cover" }, "The rest of this section holds the result. It appears when you commit. ", open);
      this.root.append(this.note);
      if (memory.get(`pass:${this.name}`)) this.uncover();
      else this.block.classList.add("ck-covering");
    }

    uncover(pass = false) {
      this.then?.classList.remove("ck-covered");
      if (!this.block) return;
      this.block.classList.remove("ck-covering");
      this.note.hidden = true;
      if (pass) {
        memory.set(`pass:${this.name}`, true);
        this.button.focus({ preventScroll: true });
      }
    }

    commit() {
      const given = this.kind.read();
      if (given === null) {
        this.reply.replaceChildren(element("p", { textContent: this.kind.empty }));
        this.kind.focus();
        return;
      }
      const right = this.kind.right(given);
      const kept = this.review || memory.set(this.key, { answer: given, right, when: new Date().toISOString() });
      this.reveal(given);
      if (!kept)
        this.reply.append(element("p", { className: "ck-note", textContent: "This browser did not keep your answer: its storage is blocked or full. The answer stays until you leave the page." }));
      const detail = { name: this.name, right };
      this.root.dispatchEvent(new CustomEvent("ck:predicted", { bubbles: true, detail }));
    }

    reveal(given) {
      const verdict = element("strong", { textContent: this.kind.verdict(given) });
      this.reply.replaceChildren(element("p", {}, verdict, ` ${this.kind.told(given)}`));
      this.reply.insertAdjacentHTML("beforeend", this.secret.more);
      this.kind.show(given);
      this.button.hidden = true;
      this.again.hidden = this.review;
      this.uncover();
    }

    forget() {
      memory.set(this.key, null);
      memory.set(`pass:${this.name}`, null);
      this.kind.clear();
      this.reply.replaceChildren();
      this.button.hidden = false;
      this.again.hidden = true;
      this.then?.classList.add("ck-covered");
      if (this.block) {
        this.block.classList.add("ck-covering");
        this.note.hidden = false;
      }
      this.kind.focus();
    }
  }

  // ---------------------------------------------------------------- start
  // A link to something that is covered uncovers it.
  function follow() {
    const anchor = decodeURIComponent(location.hash.slice(1).split("&")[0]);
    const target = anchor && document.getElementById(anchor);
    if (target && uncoverFor(target)) target.scrollIntoView();
  }

  // Uncover a place of the page; whether it was covered.
  function uncoverFor(target) {
    let found = false;
    for (const { ck } of document.querySelectorAll(".ck-predict")) {
      const { block } = ck ?? {};
      if (!block?.classList.contains("ck-covering") || block.contains(target)) continue;
      if (!block.parentElement.contains(target) || target === block.parentElement) continue;
      if (block.compareDocumentPosition(target) & Node.DOCUMENT_POSITION_FOLLOWING) {
        ck.uncover();
        found = true;
      }
    }
    return found;
  }

  const begin = () => {
    document.querySelectorAll(".ck-predict").forEach((root) => (root.ck = new Prediction(root)));
    follow();
    addEventListener("hashchange", follow);
  };
  window.ckQuestions = { Prediction, order, readings, uncoverFor };
  document.readyState === "loading" ? document.addEventListener("DOMContentLoaded", begin) : begin();
})();
