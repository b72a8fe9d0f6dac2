// Code cells that are edited and run where they stand, and the exercises of a chapter or a sheet.
// Python is the page's one worker (python.js); coursekit/interactive/cells.py decides what has to run and runs it.
// The editor is CodeMirror (editor/codemirror.mjs), loaded when a cell is first edited; until then, and without it, a
// text area does the same. cells.css styles it: cm-editor cm-gutters cm-content cm-cursor cm-focused cm-scroller
// cm-selectionBackground cm-matchingBracket cm-activeLine cm-tooltip cm-tooltip-autocomplete ck-c-keyword ck-c-string
// ck-c-number ck-c-comment ck-c-name.
//
// Kept in this browser (localStorage), never sent anywhere:
//   coursekit:cell:<notebook>:<cell id>    the text of an edited cell
//   coursekit:work:<question>              {"<name of a stub>": text}; the same in the chapter and on the sheet
//   coursekit:check:<question>                    {"right", "points", "of", "when"}: the last answer of check()

const element = (tag, attributes = {}, ...children) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") made.textContent = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value != null) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
};
const button = (text, onclick, more = {}) => element("button", { type: "button", text, onclick, "data-ready": true, ...more });
const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
const time = (seconds) => (seconds < 10 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds)} s`);

// ------------------------------------------------------------------ memory
const memory = {
  lost: new Map(), // what the browser refused to keep lasts as long as the page
  get(key) {
    if (this.lost.has(key)) return this.lost.get(key);
    return window.ckMemory.get(key);
  },
  set(key, value) {
    const done = window.ckMemory.set(key, value);
    if (done) this.lost.delete(key);
    else this.lost.set(key, value);
    return done;
  },
};

// ------------------------------------------------------------------ Python
const python = window.ckPython;
let settings; // where the site keeps Python

async function ask(request, { progress = () => {}, heard } = {}) {
  python.held = true;
  python.listeners.add(progress);
  try {
    await python.start(settings);
    progress(null);
    return await python.ask({ type: "cell", request: JSON.stringify(request) }, heard);
  } catch (error) {
    return { type: "failed", error: error.message };
  } finally {
    python.listeners.delete(progress);
  }
}

function stop() {
  python.stop("stopped by you");
  python.start(settings).catch(() => {}); // ready again by the time it is wanted
}

// ------------------------------------------------------------------ the editor
let codemirror;
const loadEditor = () =>
  (codemirror ??= import("./editor/codemirror.mjs").catch(() => {
    codemirror = undefined;
    return null;
  }));

let count = 0;

class Editor {
  constructor(host, { text, label, changed, run, leave }) {
    this.given = { label, changed, run, leave };
    this.host = host;
    const help = `ck-help-${++count}`;
    this.area = element("textarea", {
      class: "ck-area", spellcheck: "false", autocapitalize: "off", autocomplete: "off", autocorrect: "off",
      "aria-label": label, "aria-describedby": help, rows: text.split("\n").length + 1,
      oninput: () => this.typed(), onkeydown: (event) => this.key(event), onfocus: () => this.upgrade(),
    });
    this.area.value = text;
    this.help = element("span", {
      class: "ck-hidden", id: help,
      text: "Control and Enter runs, Shift and Enter runs and goes on, Tab indents, Escape leaves the editor.",
    });
    host.replaceChildren(this.area, this.help);
  }
  get text() {
    return this.rich ? this.rich.get() : this.area.value;
  }
  set text(value) {
    if (value === this.text) return;
    if (this.rich) this.rich.set(value);
    else this.area.value = value;
  }
  typed() {
    this.area.rows = this.area.value.split("\n").length + 1;
    this.given.changed(this.area.value);
  }
  key(event) {
    if (event.key === "Escape") this.given.leave();
    else if (event.key === "Tab" && !event.altKey && !event.ctrlKey && !event.metaKey) this.tab(event.shiftKey);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
  tab(back) {
    const { selectionStart: from, selectionEnd: to, value } = this.area;
    const begin = value.lastIndexOf("\n", from - 1) + 1;
    if (from === to && !back) return this.put(from, to, "    ");
    const lines = value.slice(begin, to).split("\n");
    this.put(begin, to, lines.map((line) => (back ? line.replace(/^ {1,4}/, "") : `    ${line}`)).join("\n"));
  }
  put(from, to, text) {
    this.area.setRangeText(text, from, to, "end");
    this.typed();
  }
  async upgrade() {
    if (this.rich || this.asked) return;
    this.asked = true;
    const module = await loadEditor();
    this.asked = false;
    if (!module || this.rich) return;
    const focused = document.activeElement === this.area;
    const place = element("div", { class: "ck-rich" });
    this.area.after(place);
    this.rich = module.mount(place, {
      ...this.given, text: this.area.value, at: this.area.selectionStart, describedBy: this.help.id,
    });
    this.area.remove();
    if (focused) this.rich.focus();
  }
  focus() {
    this.rich ? this.rich.focus() : this.area.focus();
  }
  show(line) {
    if (this.rich) return this.rich.show(line);
    const lines = this.area.value.split("\n");
    const from = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
    this.area.focus();
    this.area.setSelectionRange(from, from + (lines[line - 1] ?? "").length);
  }
}

// ------------------------------------------------------------------ a notebook: the cells of a page
class Notebook {
  constructor(base, info) {
    Object.assign(this, info); // notebook, file
    this.base = base;
    this.cells = new Map(); // id -> Cell in this page
  }
  load() {
    return (this.loading ??= fetch(new URL(this.file, this.base))
      .then((answer) => {
        if (!answer.ok) throw new Error(`the server answered ${answer.status} for ${this.file.split("?")[0]}`);
        return answer.json();
      })
      .then((content) => this.read(content))
      .catch((error) => {
        this.loading = undefined;
        throw error;
      }));
  }
  read(content) {
    this.content = content;
    this.code = content.cells.filter((cell) => cell.cell_type === "code").map((cell) => ({
      id: cell.id,
      source: typeof cell.source === "string" ? cell.source : cell.source.join(""),
      hidden: (cell.metadata.tags ?? []).some((tag) => tag.startsWith("remove") || tag === "hide-input"),
    }));
    let question = null; // a stub belongs to the question whose check comes next
    for (const cell of [...this.code].reverse()) {
      cell.check = cell.source.match(/^(?:\w+ = )?check\(["'](\d\d\.\d+)["']\)$/m)?.[1];
      if (cell.check) question = cell.check;
      if (question && !cell.check && /# Your code here|NotImplementedError/.test(cell.source)) {
        cell.question = question;
        cell.name = cell.source.match(/^(?:def|class)\s+(\w+)/m)?.[1] ?? cell.source.match(/^(\w+)\s*=/m)?.[1] ?? cell.id;
      }
    }
    this.known = new Map(this.code.map((cell) => [cell.id, cell]));
    return this;
  }
  // A cell that the page has and the notebook has not; it comes last.
  add(id, source) {
    this.known.set(id, { id, source, hidden: false, extra: true });
    this.code.push(this.known.get(id));
  }
  kept(id) {
    const { question, name } = this.known.get(id);
    if (question) return memory.get(`work:${question}`)?.[name] ?? null;
    return memory.get(`cell:${this.notebook}:${id}`);
  }
  keep(id, text) {
    const { question, name, source } = this.known.get(id);
    const value = text === source ? null : text;
    if (this.known.get(id).extra) return true; // it is made anew from the controls
    if (!question) return memory.set(`cell:${this.notebook}:${id}`, value);
    const work = { ...memory.get(`work:${question}`) };
    if (value === null) delete work[name];
    else work[name] = value;
    return memory.set(`work:${question}`, Object.keys(work).length ? work : null);
  }
  // The text of a cell now: as typed in this page, or as kept, or as it was.
  text(id) {
    return this.cells.get(id)?.editor?.text ?? this.kept(id) ?? this.known.get(id).source;
  }
  request(more) {
    const cells = this.code.map(({ id, hidden }) => [id, this.text(id), hidden]);
    return { notebook: this.notebook, cells, ...more };
  }
  // The notebook as a file, with what the reader wrote in place of what was there; all else as it was, byte for byte.
  file_text() {
    const content = structuredClone(this.content);
    for (const cell of content.cells) {
      if (cell.cell_type !== "code") continue;
      const text = this.text(cell.id);
      if (text === this.known.get(cell.id).source) continue;
      cell.source = typeof cell.source === "string" ? text : text.split(/(?<=\n)/);
    }
    for (const { id, extra } of this.code) {
      if (extra) content.cells.push({ cell_type: "code", execution_count: null, id, metadata: {}, outputs: [], source: this.text(id) });
    }
    return `${JSON.stringify(content, null, 1)}\n`;
  }
  download() {
    const link = element("a", { download: `${this.notebook.split("/").pop()}.ipynb` });
    link.href = URL.createObjectURL(new Blob([this.file_text()], { type: "application/x-ipynb+json" }));
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }
}

// ------------------------------------------------------------------ one cell
class Cell {
  constructor(root, notebook) {
    this.root = root;
    this.notebook = notebook;
    this.id = root.dataset.cell;
    this.input = root.querySelector(".cell_input");
    this.book = root.querySelector(".cell_output"); // what the book shows; an own run hides it
    this.known = notebook.known.get(this.id);
    notebook.cells.set(this.id, this);
    root.ck = this;
    this.out = element("div", { class: "ck-out cell_output docutils container", hidden: true });
    this.state = element("div", { class: "ck-state", role: "status" });
    this.bar = root.querySelector(".ck-bar") ?? element("div", { class: "ck-bar" });
    this.torch = "torch" in root.dataset;
    root.addEventListener("keydown", (event) => this.key(event));
    root.append(this.state, this.out);
    if (!this.torch) this.buttons();
    const kept = notebook.kept(this.id);
    if (kept !== null && !this.torch) this.edit(false);
  }
  label() {
    const first = this.known.source.split("\n").find((line) => line.trim()) ?? "";
    return this.known.name ? `Code of ${this.known.name}` : `Code that begins with ${first.slice(0, 40)}`;
  }
  buttons() {
    const label = this.known.name ?? "this cell";
    const named = (name) => ({ "aria-label": `${name}: ${this.label().toLowerCase()}` });
    this.runButton = button("Run", () => this.run(), named("Run"));
    this.editButton = button("Edit", () => this.edit(), named("Edit"));
    this.allButton = button("Run all above", () => this.run({ everything: true }), { hidden: true });
    this.stopButton = button("Stop", () => stop(), { hidden: true, class: "ck-stop", "aria-label": `Stop ${label}` });
    this.resetButton = button("Reset", () => this.reset(), { hidden: true });
    this.saveButton = button("Save as notebook", () => this.notebook.download(), { hidden: true });
    this.bar.replaceChildren(
      this.runButton, this.editButton, this.allButton, this.stopButton, this.resetButton, this.saveButton
    );
    if (!this.bar.isConnected) this.root.prepend(this.bar);
  }
  key(event) {
    if (event.key !== "Enter" || this.torch || !(event.ctrlKey || event.metaKey || event.shiftKey)) return;
    event.preventDefault();
    event.stopPropagation();
    this.run();
    if (event.shiftKey) this.next()?.select();
  }
  next() {
    const cells = [...document.querySelectorAll(".cell[data-cell]")].map((root) => root.ck).filter((c) => c?.runButton);
    return cells[cells.indexOf(this) + 1];
  }
  select() {
    this.editor ? this.editor.focus() : (this.editButton.hidden ? this.runButton : this.editButton).focus();
    this.root.scrollIntoView({ block: "nearest" });
  }
  edit(focus = true) {
    if (!this.editor) {
      this.place = element("div", { class: "ck-edit" });
      this.input.after(this.place);
      this.input.hidden = true;
      this.editor = new Editor(this.place, {
        text: this.notebook.kept(this.id) ?? this.known.source,
        label: this.label(),
        changed: (text) => this.changed(text),
        run: (next) => {
          this.run();
          if (next) this.next()?.select();
        },
        leave: () => this.runButton.focus(),
      });
      this.editButton.hidden = true;
      this.allButton.hidden = !!this.known.question;
      this.mark();
    }
    if (focus) {
      this.editor.focus();
      this.editor.upgrade();
    }
  }
  changed(text) {
    this.mark();
    clearTimeout(this.writing);
    this.writing = setTimeout(() => this.write(), 300);
    this.onchange?.(text);
  }
  write() {
    clearTimeout(this.writing);
    this.writing = 0;
    if (!this.notebook.keep(this.id, this.editor.text)) {
      this.say("This browser does not keep what you type: save the notebook before you leave the page.", true);
    }
  }
  mark() {
    const edited = this.editor.text !== this.known.source;
    this.root.classList.toggle("ck-edited", edited);
    this.resetButton.hidden = !edited && this.out.hidden;
    this.saveButton.hidden = !edited || !!this.known.question;
  }
  // Kept anew by another tab.
  renew() {
    const kept = this.notebook.kept(this.id);
    if (this.place?.contains(document.activeElement)) return;
    if (this.editor) this.editor.text = kept ?? this.known.source;
    else if (kept !== null && !this.torch) this.edit(false);
    if (this.editor) this.mark();
  }
  reset() {
    const before = this.editor?.text ?? this.known.source;
    if (this.editor) this.editor.text = this.known.source;
    this.notebook.keep(this.id, this.known.source);
    this.clear();
    if (this.book) this.book.hidden = false;
    if (this.editor) this.mark();
    this.resetButton.hidden = true;
    const undo = button("Undo", () => {
      this.edit();
      this.editor.text = before;
      this.changed(before);
      this.say();
    });
    if (before !== this.known.source) this.say("As it was in the book.", false, undo);
    else this.say();
    (this.editor ?? this.editButton).focus();
  }
  say(text = "", wrong = false, ...more) {
    this.state.classList.toggle("ck-wrong", wrong);
    this.state.replaceChildren(...(text ? [element("span", { text })] : []), ...more);
  }
  clear() {
    this.out.replaceChildren();
    this.out.hidden = true;
    this.last = null;
  }

  // ---- running
  async run({ everything = false } = {}) {
    if (this.running) return;
    if (this.writing) this.write();
    this.begin();
    const { id } = this;
    const answer = await ask(this.notebook.request({ do: "run", target: id, everything }), this.watch());
    this.end(answer);
    return answer;
  }
  begin() {
    this.running = true;
    this.began = performance.now();
    this.stopButton.hidden = false;
    this.runButton.disabled = this.allButton.disabled = true;
    this.bargraph = element("progress", { "aria-label": "Progress" });
    this.what = "Starting Python…";
    this.tick = setInterval(() => this.told(), 500);
    this.told();
  }
  told() {
    const seconds = (performance.now() - this.began) / 1000;
    if (seconds > 0.4) this.say(`${this.what}${seconds > 2 ? ` ${Math.round(seconds)} s` : ""}`, false, this.bargraph);
  }
  watch() {
    return {
      progress: (data) => {
        this.what = data ? data.text : "Running…";
        if (data?.total) this.bargraph.value = data.done / data.total;
        else this.bargraph.removeAttribute("value");
        this.told();
      },
      heard: (event) => this.heard(event),
    };
  }
  heard(event) {
    const cell = this.notebook.cells.get(event.id ?? this.now);
    if (event.type === "begin") {
      this.now = event.id;
      const above = event.of - 1;
      const mine = event.done === above;
      this.what = mine ? "Running…" : `Running ${event.done + 1} of ${plural(above, "cell")} above that this one needs…`;
      if (above) this.bargraph.value = event.done / event.of;
      if (mine || !above) this.bargraph.removeAttribute("value");
      if (this.notebook.cells.get(event.id)) this.notebook.cells.get(event.id).fresh = true;
      this.told();
    } else if (event.type === "share") {
      this.bargraph.value = event.done / event.of;
      const which = event.training > 1 ? ` of training ${event.training}` : "";
      this.what = `${this.what.split("…")[0]}… step ${event.done} of ${event.of}${which}.`;
      this.told();
    } else if (event.type === "end") {
      if (cell?.fresh && this.shows(cell)) cell.finish();
    } else if (event.type === "error") {
      if (cell) {
        cell.start();
        cell.error(event);
      }
      if (cell !== this) {
        this.fresh = true;
        this.error(event, cell ?? { select() {} });
      }
    } else if (cell && this.shows(cell)) cell.print(event);
  }
  // A cell above shows its output only if that can differ from the book's.
  shows(cell) {
    return cell === this || !cell.out.hidden || cell.root.classList.contains("ck-edited");
  }
  // The first output of a run replaces the last run's, and hides the book's.
  start() {
    if (!this.fresh) return;
    this.fresh = false;
    this.clear();
    this.out.hidden = false;
    if (this.book) this.book.hidden = true;
    if (this.resetButton) this.resetButton.hidden = false;
  }
  // A run without output shows none.
  finish() {
    this.start();
    if (!this.out.childElementCount) this.out.hidden = true;
  }
  print({ type, text, html, shown }) {
    this.start();
    if (type === "html") {
      const made = element("div", { class: "output text_html" });
      made.innerHTML = html;
      this.out.append(made);
      this.last = null;
      return;
    }
    if (!this.last || shown) {
      this.last = element("pre");
      this.out.append(
        element("div", { class: "output text_plain highlight-none notranslate" },
          element("div", { class: "highlight" }, this.last))
      );
    }
    // What follows a carriage return takes the line's place: progress bars do that.
    const lines = (this.last.textContent + text).split("\n");
    this.last.textContent = lines.map((line) => line.slice(line.replace(/\r+$/, "").lastIndexOf("\r") + 1)).join("\n");
    if (shown) this.last = null;
  }
  error({ said, line, code, way = [], deep }, above) {
    const place = element("div", { class: "ck-error", role: "group", "aria-label": "Error" });
    place.append(element("p", { class: "ck-said", text: said }));
    if (above) {
      place.append(element("p", { text: "A cell above, which this one needs, stopped there." }));
      place.append(button("Show that cell", () => above.select()));
    } else if (line) {
      const go = button(`line ${line}`, () => (this.edit(), this.editor.show(line)));
      place.append(element("p", {}, "In ", go, " ", element("code", { text: code })));
      for (const step of way.slice(1)) {
        const where = `then in ${step.inside || "a cell above"}, line ${step.line} `;
        place.append(element("p", {}, where, element("code", { text: step.code })));
      }
      if (deep) place.append(element("p", { class: "ck-deep", text: `raised in ${deep}` }));
    }
    if (above) this.start();
    this.out.hidden = false;
    this.out.append(place);
  }
  end(answer) {
    clearInterval(this.tick);
    this.running = false;
    this.stopButton.hidden = true;
    this.runButton.disabled = this.allButton.disabled = false;
    const seconds = (performance.now() - this.began) / 1000;
    if (answer.type === "stopped") {
      this.say("Stopped. What you typed is kept; cells above run again when they are needed.");
    } else if (answer.type === "failed" || answer.error) this.say(`Python did not run: ${answer.error}.`, true);
    else this.say(answer.ok ? `Done in ${time(answer.ms / 1000)}.` : "Stopped by an error.", !answer.ok);
    this.root.dispatchEvent(new CustomEvent("ck:ran", { bubbles: true, detail: { ...answer, seconds } }));
  }
}

// ------------------------------------------------------------------ one exercise
const SIGNS = { right: "✓", wrong: "✗", unwritten: "○" };
const CLASSES = { right: "ck-case ck-right", wrong: "ck-case ck-wrong", unwritten: "ck-case ck-unwritten" };

class Exercise {
  // `root` holds the task, its cells and its hints, as the sheet's page has them.
  constructor(root, question, notebook) {
    Object.assign(this, { root, question, notebook });
    this.cells = [...root.querySelectorAll(".cell[data-cell]")].map((cell) => cell.ck ?? new Cell(cell, notebook));
    const place = this.cells.find((cell) => cell.known.check === question);
    this.stubs = this.cells.filter((cell) => cell.known.question === question);
    this.stubs.forEach((cell) => {
      cell.edit(false);
      cell.onchange = () => this.result.classList.add("ck-old");
    });
    this.result = element("div", { class: "ck-result" });
    this.state = element("div", { class: "ck-state", role: "status" });
    this.checkButton = button("Check", () => this.check(), { class: "ck-main", "aria-label": `Check ${question}` });
    this.stopButton = button("Stop", () => stop(), { hidden: true, class: "ck-stop", "aria-label": `Stop the check of ${question}` });
    this.hintButton = button("", () => this.hint(), { hidden: true });
    const bar = element("div", { class: "ck-checkbar" }, this.checkButton, this.stopButton, this.hintButton);
    this.hints = [...root.querySelectorAll(":scope > details")].filter((each) => /^Hint/.test(each.querySelector("summary")?.textContent.trim() ?? ""));
    this.hintPlace = element("div", { class: "ck-hints" });
    this.hints.forEach((hint) => hint.remove());
    this.given = 0;
    this.offer();
    place.root.replaceChildren(bar, this.state, this.result, this.hintPlace);
    place.root.classList.add("ck-check");
    const last = memory.get(`check:${question}`);
    if (last) this.note(last.right ? "Right when last checked." : "");
  }
  note(text, wrong = false, ...more) {
    this.state.classList.toggle("ck-wrong", wrong);
    this.state.replaceChildren(...(text ? [element("span", { text })] : []), ...more);
  }
  offer() {
    const left = this.hints.length - this.given;
    this.hintButton.hidden = !left;
    this.hintButton.textContent = `Hint ${this.given + 1} of ${this.hints.length}`;
  }
  hint() {
    const hint = this.hints[this.given++];
    hint.open = true;
    this.hintPlace.append(hint);
    this.offer();
    hint.querySelector("summary").focus();
  }
  async check() {
    if (this.running) return;
    this.running = true;
    this.checkButton.disabled = true;
    this.stopButton.hidden = false;
    this.stubs.forEach((cell) => cell.writing && cell.write());
    const began = performance.now();
    const bar = element("progress", { "aria-label": "Progress" });
    let what = "Starting Python…";
    const told = () => {
      const seconds = (performance.now() - began) / 1000;
      if (seconds > 0.4) this.note(`${what}${seconds > 2 ? ` ${Math.round(seconds)} s` : ""}`, false, bar);
    };
    const tick = setInterval(told, 500);
    const answer = await ask(
      this.notebook.request({ do: "check", question: this.question, always: this.stubs.map((cell) => cell.id) }),
      {
        progress: (data) => {
          what = data ? data.text : "Checking…";
          if (data?.total) bar.value = data.done / data.total;
          else bar.removeAttribute("value");
          told();
        },
        heard: (event) => this.heard(event),
      }
    );
    clearInterval(tick);
    this.running = false;
    this.checkButton.disabled = false;
    this.stopButton.hidden = true;
    if (answer.type === "stopped") this.note("Stopped. What you typed is kept.");
    else if (answer.type === "failed" || answer.error) this.note(`Python did not run: ${answer.error}.`, true);
    else if (answer.report) {
      this.note("");
      this.show(answer.report);
    } else this.note("The check waits: the code above stops with an error.", true);
    if (answer.report?.right) this.offerYours();
    this.root.dispatchEvent(new CustomEvent("ck:checked", {
      bubbles: true,
      detail: { question: this.question, report: answer.report, type: answer.type, ms: performance.now() - began },
    }));
    return answer;
  }
  // After a right answer: lead to the experiments of this page that the function can take part in.
  offerYours() {
    for (const yours of window.ckCells.exercises?.yours ?? []) {
      for (const slot of yours.slots.filter((each) => each.question === this.question)) {
        yours.renew();
        const title = yours.explorer.spec.title;
        this.result.append(button(`See ${slot.entry} in “${title}”`, () => yours.choose(slot), { class: "ck-try" }));
      }
    }
  }
  heard(event) {
    const cell = this.notebook.cells.get(event.id ?? this.now);
    if (event.type === "share") return;
    if (event.type === "begin") {
      this.now = event.id;
      if (cell) cell.fresh = true;
    } else if (event.type === "end") {
      if (cell && !cell.out.hidden && cell.fresh) cell.finish();
    } else if (event.type === "error") {
      this.result.replaceChildren();
      if (cell) {
        cell.start();
        cell.error(event);
      } else this.note(`A cell of the sheet stopped: ${event.said}`, true);
    } else if (cell) cell.print(event);
  }
  show(report) {
    this.result.classList.remove("ck-old", "ck-right");
    if (report.problem) {
      this.result.replaceChildren(element("p", { text: report.problem }));
      return;
    }
    memory.set(`check:${this.question}`, {
      right: report.right,
      points: report.cases.reduce((sum, each) => sum + (each.status === "right" ? each.points : 0), 0),
      of: report.cases.reduce((sum, each) => sum + each.points, 0),
      when: new Date().toISOString(),
    });
    this.result.classList.toggle("ck-right", report.right);
    this.result.classList.toggle("ck-unwritten", report.cases.every((each) => each.status === "unwritten"));
    let at = 0;
    const list = element("ul");
    for (const group of report.groups) {
      const cases = report.cases.slice(at, (at += group));
      const item = element("li", { class: CLASSES[cases[0].status] });
      for (const each of cases) {
        item.append(element("p", { class: "ck-case-name" },
          element("span", { class: "ck-sign", "aria-hidden": "true", text: SIGNS[each.status] }),
          ` ${each.name} `, element("span", { class: "ck-worth", text: each.worth })));
      }
      if (cases[0].status !== "right") item.append(...this.details(cases[0]));
      list.append(item);
    }
    this.result.replaceChildren(
      element("p", { class: "ck-headline", text: report.headline }),
      list,
      ...report.notes.map((text) => element("p", { text })),
      ...(report.printed ? [element("p", { text: "Your code printed:" }), element("pre", { text: report.printed })] : [])
    );
  }
  details({ message, facts, code, mistake }) {
    const made = [element("p", { text: message })];
    if (facts.length) {
      const rows = facts.map(([name, text]) => element("tr", {}, element("th", { scope: "row", text: name }), element("td", {}, element("code", { text }))));
      made.push(element("table", { class: "ck-facts" }, element("tbody", {}, ...rows)));
    }
    if (code) made.push(element("p", {}, element("code", { text: code })));
    if (mistake) made.push(element("p", {}, "It looks as if ", element("strong", { text: mistake }), "."));
    return made;
  }
}

// ------------------------------------------------------------------ the exercises of a chapter
class Exercises {
  constructor(root, base) {
    this.root = root;
    this.base = base;
    this.address = new URL(root.dataset.sheet, location.href);
    this.state = root.querySelector(":scope > .ck-state");
    this.opened = new Map();
    root.querySelectorAll("[data-question]").forEach((each) => this.tick(each));
    root.addEventListener("ck:checked", () => root.querySelectorAll("[data-question]").forEach((each) => this.tick(each)));
  }
  tick(each) {
    each.closest("li").classList.toggle("ck-done", !!memory.get(`check:${each.dataset.question}`)?.right);
  }
  load() {
    return (this.loading ??= fetch(this.address)
      .then((answer) => {
        if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
        return answer.text();
      })
      .then(async (text) => {
        this.page = new DOMParser().parseFromString(text, "text/html");
        const info = JSON.parse(this.page.querySelector(".ck-cells").dataset.cells);
        this.notebook = await new Notebook(this.base, info).load();
        return this;
      })
      .catch((error) => {
        this.loading = undefined;
        throw error;
      }));
  }
  async open(trigger) {
    const id = trigger.dataset.question;
    const shown = trigger.getAttribute("aria-expanded") === "true";
    trigger.setAttribute("aria-expanded", String(!shown));
    if (this.opened.has(id)) {
      this.opened.get(id).hidden = shown;
      return;
    }
    python.held = true;
    python.start(settings).catch(() => {}); // while the reader reads the task
    try {
      await this.load();
    } catch (error) {
      trigger.setAttribute("aria-expanded", "false");
      this.state.textContent = `The exercise could not be loaded (${error.message}). Try again.`;
      return;
    }
    this.state.textContent = "";
    const heading = [...this.page.querySelectorAll("section > h2")].find((each) => each.textContent.startsWith(id));
    const section = document.importNode(heading.parentNode, true);
    section.querySelector("h2").remove();
    section.querySelector(":scope > p > em")?.parentNode.remove(); // points and minutes stand in the list
    for (const each of section.querySelectorAll("[id]")) each.id = `exercise-${each.id}`;
    for (const link of section.querySelectorAll('a[href^="#"]')) link.href = this.address.href + link.getAttribute("href");
    const place = element("div", { class: "ck-exercise", role: "group", "aria-label": `Exercise ${id}` }, ...section.childNodes);
    this.opened.set(id, place);
    trigger.closest("li").append(place);
    place.ck = new Exercise(place, id, this.notebook);
    place.ck.stubs.forEach((cell) => cell.editor.upgrade());
  }
}

// ------------------------------------------------------------------ the reader's function in an experiment
// An explorer with slots (interactive/slots.py) gets an entry "your adam_step" when that has passed its check: one more
// option of a choice, or a box to tick beside a slider or on its own. It is drawn now, by Python, whether the explorer
// is live or not, and beside it what the course's own function gives.
class Yours {
  constructor(explorer, exercises) {
    this.explorer = explorer;
    this.exercises = exercises;
    this.slots = explorer.spec.yours;
    this.boxes = new Map(); // slot -> its box to tick
    this.place = element("div", { class: "ck-beside" });
    explorer.root.querySelector(".ck-status").before(this.place);
    explorer.taken = (turn) => this.take(turn);
    const reset = explorer.reset.bind(explorer);
    explorer.reset = () => {
      for (const box of this.boxes.values()) box.checked = false;
      reset();
    };
    this.renew();
  }
  control(slot) {
    return this.explorer.controls.find((each) => each.spec.name === slot.control);
  }
  // Add the entries that are due.
  renew() {
    for (const slot of this.slots) {
      if (this.boxes.has(slot) || !slot.questions.every((id) => memory.get(`check:${id}`)?.right)) continue;
      const control = this.control(slot);
      if (!control || control.spec.ordered) this.addBox(slot, control);
      else if (!control.spec.values.includes(slot.entry)) {
        const { spec, input } = control;
        spec.drawn ??= spec.values.length;
        input.append(element("option", { value: spec.values.length, text: slot.entry }));
        spec.values = [...spec.values, slot.entry];
        spec.texts = [...spec.texts, slot.entry];
      }
    }
  }
  addBox(slot, control) {
    const box = element("input", { type: "checkbox", id: `${this.explorer.root.id}-${slot.functions[0]}` });
    const told = control ? `${slot.entry}, in place of “${control.spec.label}”` : slot.entry;
    box.addEventListener("input", () => {
      if (box.checked) for (const other of this.boxes.values()) if (other !== box) other.checked = false;
      this.explorer.changed();
    });
    this.boxes.set(slot, box);
    const row = element("div", { class: "ck-own" }, box, element("label", { for: box.id, text: told }));
    this.explorer.root.querySelector(".ck-controls").append(row);
  }
  // A slider has nothing to say while the reader's function takes its place.
  rest() {
    for (const control of this.explorer.controls) {
      if (control.spec.ordered) control.input.disabled = false;
    }
    const slot = this.chosen();
    const control = slot && this.control(slot);
    if (control?.spec.ordered) control.input.disabled = true;
  }
  chosen() {
    return this.slots.find((slot) => this.boxes.get(slot)?.checked ?? this.control(slot)?.value === slot.entry);
  }
  choose(slot) {
    const box = this.boxes.get(slot);
    const control = this.control(slot);
    if (box) {
      for (const other of this.boxes.values()) other.checked = other === box;
    } else control.position = control.spec.values.indexOf(slot.entry);
    window.ckQuestions?.uncoverFor(this.explorer.root); // a prediction may stand before it
    this.explorer.root.scrollIntoView();
    (box ?? control.input).focus({ preventScroll: true });
    this.explorer.changed();
  }
  // True if the setting is the reader's: then this draws it.
  take(turn) {
    const slot = this.chosen();
    this.rest();
    if (!slot) {
      this.place.replaceChildren();
      return false;
    }
    this.turn = turn;
    this.explorer.mine = slot; // for code.js
    this.draw(slot);
    return true;
  }
  async draw(slot) {
    if (this.busy) return; // the newest setting is taken when the present one is done
    this.busy = true;
    let turn;
    do {
      turn = this.turn;
      await this.one(slot, turn);
      slot = this.chosen();
    } while (slot && turn !== this.turn);
    this.busy = false;
  }
  async one(slot, turn) {
    const { explorer } = this;
    const { notebook } = await this.exercises.load();
    const wants = explorer.wants();
    if (this.boxes.has(slot)) wants.text = wants.text.replace(/\.$/, `, ${slot.entry}.`);
    explorer.sayLater("Computing with your function…", 300, button("Stop", () => stop()));
    const answer = await ask(
      notebook.request({
        do: "draw", address: explorer.spec.address, entry: slot.entry, prefix: explorer.prefix,
        settings: JSON.stringify(Object.fromEntries(Object.entries(wants.values).filter(([name]) => name !== slot.control))),
      }),
      { progress: (data) => data && explorer.say(data.text) }
    );
    if (turn !== this.turn) return;
    const { drawn } = answer;
    if (!drawn || drawn.problem) {
      const why = drawn?.problem ?? (answer.type === "stopped" ? "Stopped." : `Python did not run: ${answer.error}.`);
      explorer.say(`${why} The picture is the last one that could be drawn.`, true);
      return;
    }
    explorer.say();
    explorer.put(drawn.svg, drawn.alt, "yours", wants);
    const picture = element("div", { class: "ck-picture", role: "img", "aria-label": drawn.beside.alt });
    picture.innerHTML = drawn.beside.svg;
    this.place.replaceChildren(
      element("p", { class: "ck-words", text: drawn.words }),
      element("p", { class: "ck-title", text: `For comparison: ${drawn.name}` }),
      picture
    );
  }
}

// ------------------------------------------------------------------ the code of an experiment
// A copy of what an explorer runs, with the call for its present setting, as a cell under it.
function copyOf(root) {
  const source = root.querySelector(".ck-source").textContent;
  const [head, ...rest] = root.querySelector(".ck-call").textContent.split("\n\n");
  const imports = head.split("\n");
  const call = rest.join("\n\n");
  if (!/^results = experiment\./.test(call)) return `${imports.join("\n")}\n\n${call}`;
  const plot = imports.find((line) => line.endsWith(" as plot"));
  return `${plot}\n${source}\n\n\n${call.replace("experiment.", "")}`;
}

function openCode(trigger, notebook) {
  const root = trigger.closest(".ck-explorer");
  const id = `code-${root.id}`;
  if (!notebook.known.has(id)) {
    notebook.add(id, copyOf(root));
    const cell = element("div", { class: "cell docutils container", "data-cell": id },
      element("div", { class: "ck-bar" }), element("div", { class: "cell_input docutils container" }));
    root.querySelector(".ck-source").after(cell);
    new Cell(cell, notebook).edit();
  } else {
    const { editor } = notebook.cells.get(id);
    const fresh = copyOf(root);
    notebook.known.get(id).source = fresh;
    editor.text = fresh;
    notebook.cells.get(id).changed(fresh);
    editor.focus();
  }
}

// ------------------------------------------------------------------ start
export async function begin(base) {
  const info = JSON.parse(document.querySelector(".ck-cells").dataset.cells);
  settings = info.live;
  const notebook = await new Notebook(base, info).load();
  const list = document.querySelector(".ck-exercises");
  const exercises = list && new Exercises(list, base);
  for (const root of document.querySelectorAll(".cell[data-cell]")) {
    if (root.querySelector(".cell_input") && root.querySelector(".ck-bar")) new Cell(root, notebook);
  }
  if (notebook.notebook.startsWith("exercises/")) onSheet(notebook);
  const yours = [...document.querySelectorAll(".ck-explorer")]
    .filter((root) => exercises && root.ck?.spec.yours && root.ck.controls)
    .map((root) => new Yours(root.ck, exercises));
  if (exercises) exercises.yours = yours;
  addEventListener("ck:checked", () => yours.forEach((each) => each.renew()));
  addEventListener("storage", () => {
    for (const each of [notebook, exercises?.notebook]) each?.cells.forEach((cell) => cell.renew());
    list?.querySelectorAll("[data-question]").forEach((each) => exercises.tick(each));
    yours.forEach((each) => each.renew());
  });
  addEventListener("pagehide", () => {
    for (const each of [notebook, exercises?.notebook]) each?.cells.forEach((cell) => cell.writing && cell.write());
  });
  window.ckCells = { notebook, exercises, python };
  return {
    // What a button was pressed for before this script was there.
    act(trigger, cell) {
      if (trigger.dataset.do === "exercise") return exercises.open(trigger);
      if (trigger.dataset.do === "download") return exercises.load().then(() => exercises.notebook.download());
      if (trigger.dataset.do === "edit") return cell.ck.edit();
      if (trigger.dataset.do === "code") return openCode(trigger, notebook);
      cell.ck.runButton.focus({ preventScroll: true });
      return cell.ck.run();
    },
  };
}

// The sheet's own page: each question becomes what it is in the chapter.
function onSheet(notebook) {
  for (const cell of notebook.code.filter((each) => each.check)) {
    const root = document.querySelector(`.cell[data-cell="${CSS.escape(cell.id)}"]`);
    if (root) root.closest("section").ck = new Exercise(root.closest("section"), cell.check, notebook);
  }
  const title = document.querySelector("article h1");
  title?.parentNode.querySelector("p")?.after(
    element("p", { class: "ck-actions" }, button("Download my notebook", () => notebook.download()))
  );
}
