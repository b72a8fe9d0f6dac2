// Explorers in a page. No library, no request to another host, nothing sent anywhere.
// The markup comes from coursekit/interactive/html.py, the packs from frames.py.
(() => {
  "use strict";
  const BASE = new URL("ck/", document.currentScript.src);
  const ON_DISK = location.protocol === "file:";

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

  // Where pictures are shown as they were laid out for a narrow screen (plotting/_narrow.py).
  const NARROW = matchMedia("screen and (max-width: 40rem)");

  // ---------------------------------------------------------------- packs of pictures
  const packs = new Map(); // "folder/number" -> {promise, resolve, data}

  window.ckPack = (folder, number, data) => {
    const pack = packs.get(`${folder}/${number}`);
    if (pack) {
      pack.data = data;
      pack.resolve(data);
    }
  };

  function loadPack(folder, number) {
    const key = `${folder}/${number}`;
    let pack = packs.get(key);
    if (pack) return pack.promise;
    pack = {};
    pack.promise = new Promise((resolve, reject) => {
      pack.resolve = resolve;
      const script = element("script", { src: new URL(`frames/${key}.js`, BASE).href, async: true });
      script.onload = () => {
        script.remove();
        if (!pack.data) script.onerror();
      };
      script.onerror = () => {
        script.remove();
        packs.delete(key); // the next drag tries again
        reject(new Error("the file with these pictures could not be loaded"));
      };
      document.head.append(script);
    });
    pack.promise.catch(() => {});
    packs.set(key, pack);
    return pack.promise;
  }

  const python = window.ckPython; // python.js: one worker for the page

  // ---------------------------------------------------------------- the address: #anchor&name.control=value&...
  const address = {
    read() {
      const parts = location.hash.slice(1).split("&").filter(Boolean);
      const anchor = parts.length && !parts[0].includes("=") ? parts.shift() : "";
      const state = new Map();
      for (const part of parts) {
        const [key, value] = part.split("=").map((text) => {
          try {
            return decodeURIComponent(text);
          } catch {
            return text;
          }
        });
        if (value !== undefined) state.set(key, value);
      }
      return { anchor, state };
    },
    text(anchor, state) {
      const pairs = [...state].map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(value)}`);
      return [anchor, ...pairs].filter(Boolean).join("&");
    },
    write(name, values) {
      const { anchor, state } = this.read();
      for (const key of [...state.keys()]) if (key.startsWith(`${name}.`)) state.delete(key);
      for (const [key, value] of values) state.set(`${name}.${key}`, value);
      const hash = this.text(anchor, state);
      if (hash === location.hash.slice(1)) return;
      try {
        history.replaceState(history.state, "", hash ? `#${hash}` : location.pathname + location.search);
      } catch {
        // A page from a disk may not be allowed to; the explorer works without.
      }
    },
  };

  // ---------------------------------------------------------------- one control
  class Control {
    constructor(spec, id, changed) {
      this.spec = spec;
      this.fine = 1; // stops between two drawn values; more than 1 in live mode
      const label = element("label", { for: id, text: spec.label });
      if (spec.kind === "seed") this.seed(id, changed);
      else if (spec.kind === "points") this.points(id);
      else if (spec.ordered) this.slide(id, label);
      else this.list(id, label);
      this.input.addEventListener("input", changed);
      this.position = spec.default;
    }
    list(id, label) {
      this.input = element("select", { id });
      this.spec.texts.forEach((text, k) => this.input.append(element("option", { value: k, text })));
      this.row = element("div", { class: "ck-control ck-chosen" }, label, this.input);
    }
    // Points that are added on the picture (points.js).
    points(id) {
      this.input = element("input", { type: "hidden", id, value: 0 });
      this.output = element("output", { "aria-live": "off" });
      const name = element("span", { class: "ck-label", text: this.spec.label });
      this.row = element("div", { class: "ck-control" }, name, this.output, this.input);
    }
    // A new seed: the next one that was drawn, or where Python runs any; and the first again.
    seed(id, changed) {
      const { spec } = this;
      spec.drawn = spec.values.length;
      this.input = element("input", { type: "hidden", id, value: spec.default });
      this.output = element("output", { "aria-live": "off" });
      const press = (text, position) => element("button", { type: "button", text, onclick: () => {
        this.position = position();
        changed();
      } });
      const name = element("span", { class: "ck-label", text: spec.label });
      const fresh = () => (this.live ? this.add(1 + Math.floor(Math.random() * 1e6)) : (this.position + 1) % spec.drawn);
      const buttons = element("div", { class: "ck-seeds" }, press("New seed", fresh), press("First seed", () => spec.default));
      this.row = element("div", { class: "ck-control" }, name, this.output, this.input, buttons);
    }
    // A place that is none of the options; there is one of them at a time.
    put(place) {
      const { spec } = this;
      spec.drawn ??= spec.values.length;
      const at = spec.drawn;
      const text = spec.kind === "points" ? `${place.split(";").length} added` : place;
      if (spec.kind !== "points") {
        if (!this.own) this.input.append((this.own = element("option", { value: at })));
        this.own.textContent = text;
      }
      spec.values = [...spec.values.slice(0, at), place];
      spec.texts = [...spec.texts.slice(0, at), text];
      this.position = at;
    }
    add(seed) {
      const { spec } = this;
      if (!spec.values.includes(seed)) {
        spec.values = [...spec.values, seed];
        spec.texts = [...spec.texts, String(seed)];
      }
      return spec.values.indexOf(seed);
    }
    slide(id, label) {
      const { values, texts } = this.spec;
      this.input = element("input", { id, type: "range", min: 0, max: values.length - 1, step: 1, autocomplete: "off" });
      this.output = element("output", { for: id, "aria-live": "off" }); // the slider says it by aria-valuetext
      const ends = [texts[0], texts.at(-1)].map((text) => element("span", { text }));
      const track = element("div", { class: "ck-track" }, this.input, element("div", { class: "ck-ends", "aria-hidden": "true" }, ...ends));
      track.style.setProperty("--ck-steps", values.length - 1);
      // Label and value share a line above the slider, so the value comes before it.
      this.row = element("div", { class: "ck-control" }, label, this.output, track);
    }
    get position() {
      return Number(this.input.value) / this.fine; // whole at the drawn values
    }
    set position(position) {
      this.input.value = Math.round(position * this.fine);
      this.describe();
    }
    refine(on) {
      let { position } = this;
      this.live = on;
      const own = this.spec.kind === "seed" || this.spec.free; // the reader's own values: not in the book's pictures
      if (!on && own && position >= this.spec.drawn) position = this.spec.default;
      this.fine = on ? this.spec.between : 1;
      if (this.spec.ordered) this.input.max = (this.spec.values.length - 1) * this.fine;
      this.position = position;
    }
    get value() {
      return this.valueAt(this.position);
    }
    valueAt(position) {
      const { values, kind, whole } = this.spec;
      const low = Math.floor(position + 1e-9);
      const part = position - low;
      if (part < 1e-9) return values[low];
      const [a, b] = [values[low], values[low + 1]];
      const value = kind === "log" ? a * (b / a) ** part : a + (b - a) * part;
      return whole ? Math.round(value) : Number(value.toPrecision(3));
    }
    set value(value) {
      // From an address: the nearest place, or nothing if it is not on the slider.
      const { values, kind } = this.spec;
      if (kind === "seed" && this.live && /^\d{1,9}$/.test(value)) this.add(Number(value));
      if (kind === "choice" || kind === "seed" || kind === "points") {
        const index = values.findIndex((option) => String(option) === String(value));
        const places = kind === "points" ? /^\([-\d.e, ]+\)(; \([-\d.e, ]+\))*$/ : /^\(-?[\d.e-]+, -?[\d.e-]+\)$/;
        if (index < 0 && this.live && this.spec.free && places.test(value)) return this.put(value);
        if (index >= 0) this.position = index;
        return;
      }
      const number = Number(value);
      if (value === "" || !Number.isFinite(number) || number < values[0] || number > values.at(-1)) return;
      let low = values.findLastIndex((stop) => stop <= number);
      if (low === values.length - 1) low -= 1;
      const [a, b] = [values[low], values[low + 1]];
      this.position = low + (kind === "log" ? Math.log(number / a) / Math.log(b / a) : (number - a) / (b - a));
    }
    get text() {
      const { texts, unit } = this.spec;
      if (this.reached !== undefined) return String(this.reached); // by a training that goes on
      if (Number.isInteger(this.position)) return texts[this.position];
      const { value } = this;
      const exact = Number.isInteger(value) && Math.abs(value) < 1e6; // 1,234 images are not 1,230
      return `${exact ? String(value).replace("-", "−") : ckReading.number(value)} ${unit}`.trim();
    }
    describe() {
      if (!this.output) return;
      this.output.textContent = this.text;
      this.input.setAttribute("aria-valuetext", this.text);
    }
  }

  // ---------------------------------------------------------------- one explorer
  class Explorer {
    constructor(root) {
      this.root = root;
      this.spec = JSON.parse(root.querySelector(".ck-spec").textContent);
      this.prefix = `ck-${this.spec.name}`;
      this.key = this.spec.name;
      this.picture = root.querySelector(".ck-picture");
      this.caption = root.querySelector(".ck-alt");
      this.settings = root.querySelector(".ck-settings");
      this.live = false;
      this.turn = 0;
      this.unique();
      if (!this.spec.frames) return;
      this.build();
      root.classList.add("ck-on");
      root.querySelector(".ck-room")?.remove();
      this.fromAddress();
      addEventListener("hashchange", () => this.fromAddress());
      new IntersectionObserver((entries, observer) => {
        if (!entries.some((entry) => entry.isIntersecting)) return;
        observer.disconnect();
        if (this.slim) this.show(); // in the place of the wide one that stands in the page
        else loadPack(this.spec.frames.folder, 0).catch(() => {});
      }, { rootMargin: "600px" }).observe(root);
      if (this.spec.frames.narrow) {
        NARROW.addEventListener("change", () => {
          this.parts.forEach((part) => part.reset?.());
          this.show();
        });
      }
      for (const kind of ["pointerenter", "focusin", "touchstart"]) {
        root.addEventListener(kind, () => this.loadAll(), { once: true, passive: true });
      }
    }

    // What begins the numbers of the packs for this screen. In the clinic question and curves share a screen: they stay flat.
    get slim() {
      return NARROW.matches && this.spec.frames.narrow && !this.root.closest(".ck-clinic") ? "n" : "";
    }

    unique() {
      // The same explorer twice on one page: the second gets ids of its own.
      let number = 1;
      while (document.getElementById(this.root.id) !== this.root) {
        this.root.id = `${this.prefix}-${++number}`;
        this.key = `${this.spec.name}-${number}`;
      }
      if (number === 1) return;
      const title = this.root.querySelector("p.ck-title");
      this.caption.id = `${this.root.id}-alt`;
      if (title) title.id = `${this.root.id}-title`;
      this.picture.setAttribute("aria-labelledby", (title ?? this.caption).id);
      this.picture.innerHTML = this.own(this.picture.innerHTML);
    }

    own(svg) {
      if (this.root.id === this.prefix) return svg;
      return svg.replaceAll(`"${this.prefix}-`, `"${this.root.id}-`).replaceAll(`#${this.prefix}-`, `#${this.root.id}-`);
    }

    build() {
      const id = this.root.id;
      this.controls = this.spec.controls.map((spec) => new Control(spec, `${id}-${spec.name}`, () => this.changed()));
      const title = this.root.querySelector(".ck-title");
      this.liveButton = this.button("Run live", () => this.toggle(), "ck-go");
      this.head = element(
        "div",
        { class: "ck-head" },
        title ?? element("span", { class: "ck-title" }),
        ...(this.spec.live ? [this.liveButton] : []),
        this.button("Reset", () => this.reset()),
        this.button("Copy link", () => this.copyLink())
      );
      this.status = element("div", { class: "ck-status", role: "status" });
      const group = element("div", { class: "ck-controls", role: "group" }, ...this.controls.map((c) => c.row));
      const count = this.controls.length + (this.spec.time && !this.spec.time.over ? 1 : 0);
      group.style.setProperty("--ck-columns", count === 4 ? 2 : Math.min(count, 3));
      group.classList.toggle("ck-aside", this.root.style.getPropertyValue("--ck-side") !== "");
      if (count === 1) this.controls[0].row.classList.add("ck-only");
      group.setAttribute("aria-label", this.spec.title ? `Settings: ${this.spec.title}` : "Settings");
      this.root.prepend(this.head, group);
      this.root.querySelector(".ck-view").after(this.status);
      // The picture, and over it what the page draws itself (reading.js, playing.js, handles.js).
      this.stage = element("div", { class: "ck-stage" });
      this.picture.replaceWith(this.stage);
      this.over = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      this.over.setAttribute("class", "ck-over");
      this.over.setAttribute("aria-hidden", "true");
      this.stage.append(this.picture, this.over);
      this.group = group;
      this.parts = (window.ckParts ?? []).map((make) => make(this)).filter(Boolean);
      this.renewParts();
    }

    // A button whose name tells it from those of the page's other explorers.
    button(text, press, kind) {
      const made = element("button", { type: "button", text, class: kind, onclick: press });
      made.setAttribute("aria-describedby", `${this.root.id}-title`);
      return made;
    }

    addButton(text, press, kind) {
      this.head.querySelector(".ck-title").after(this.button(text, press, kind));
    }

    // After a new picture: what is drawn over it follows.
    renewParts() {
      const svg = this.picture.querySelector("svg");
      if (svg) this.over.setAttribute("viewBox", svg.getAttribute("viewBox"));
      this.parts.forEach((part) => part.shown?.());
    }

    say(text = "", wrong = false, ...more) {
      clearTimeout(this.slow);
      this.status.classList.toggle("ck-wrong", wrong);
      this.status.replaceChildren(...(text ? [element("span", { text })] : []), ...more);
    }

    // After ms without an answer, say that something is being waited for.
    sayLater(text, ms, ...more) {
      clearTimeout(this.slow);
      const since = performance.now();
      const clock = element("span", { "aria-hidden": "true" }); // not read out every second
      const tick = () => {
        const seconds = Math.round((performance.now() - since) / 1000);
        clock.textContent = seconds ? `${seconds} s` : "";
        this.slow = setTimeout(tick, 1000);
      };
      this.slow = setTimeout(() => {
        this.say(text, false, clock, ...more);
        tick();
      }, ms);
    }

    values() {
      return Object.fromEntries(this.controls.map((control) => [control.spec.name, control.value]));
    }

    changed() {
      this.since = performance.now();
      this.controls.forEach((control) => control.describe());
      clearTimeout(this.writing);
      this.writing = setTimeout(() => address.write(this.key, this.state()), 250);
      this.show();
    }

    state() {
      return this.controls
        .filter((control) => control.position !== control.spec.default)
        .map((control) => [control.spec.name, String(control.value)]);
    }

    async show() {
      if (!this.controls) return; // without prepared pictures it was not built: what stands in the page stays
      return this.live ? this.showLive() : this.showFrame();
    }

    wants() {
      const text = `Shown for ${this.controls.map((c) => `${c.spec.label} ${c.text}`).join(", ")}.`;
      return { values: this.values(), text };
    }

    put(svg, alt, mode, { values, text }) {
      this.picture.innerHTML = this.own(svg);
      this.caption.textContent = alt;
      this.settings.textContent = text;
      this.renewParts();
      const ms = performance.now() - (this.since ?? performance.now());
      this.root.dispatchEvent(new CustomEvent("ck:shown", { bubbles: true, detail: { mode, ms, values } }));
    }

    // ---- pictures drawn when the book was built
    place() {
      let index = 0;
      let moved = 0;
      for (const { spec, position } of this.controls) {
        index = index * (spec.drawn ?? spec.values.length) + position; // drawn: without what the reader added
        moved += position !== spec.default;
      }
      const { chunk } = this.spec.frames;
      return { index, pack: this.slim + (moved <= 1 || !chunk ? 0 : 1 + Math.floor(index / chunk)) };
    }

    async showFrame() {
      const turn = ++this.turn;
      if (this.taken?.(turn)) return; // a function of the reader's (ck/cells.mjs)
      const { index, pack } = this.place();
      const { folder } = this.spec.frames;
      let data = packs.get(`${folder}/${pack}`)?.data;
      if (!data) {
        this.sayLater("Loading this picture…", 150);
        try {
          data = await loadPack(folder, pack);
        } catch (error) {
          if (turn === this.turn) {
            this.say(`This picture is missing: ${error.message}. The last one stays; other settings may work.`, true);
          }
          return;
        }
        if (turn !== this.turn) return; // a newer setting wins
      }
      this.say();
      this.put(data.frames[index].map((line) => data.lines[line]).join("\n"), data.alts[index], "frames", this.wants());
    }

    async loadAll() {
      const { folder, packs: count } = this.spec.frames;
      for (let number = 0; number < count; number++) {
        try {
          await loadPack(folder, this.slim + number);
        } catch {
          return; // said when a picture from it is asked for
        }
      }
    }

    reset() {
      this.parts.forEach((part) => part.reset?.());
      this.controls.forEach((control) => (control.position = control.spec.default));
      this.changed();
    }

    fromAddress() {
      const { anchor, state } = address.read();
      const before = JSON.stringify(this.values());
      for (const control of this.controls) {
        const given = state.get(`${this.key}.${control.spec.name}`);
        control.position = control.spec.default;
        if (given !== undefined) control.value = given;
      }
      if (JSON.stringify(this.values()) !== before) this.changed();
      if (anchor === this.root.id) this.root.scrollIntoView({ block: "nearest" });
    }

    async copyLink() {
      const link = new URL(location.href);
      const state = new Map(this.state().map(([key, value]) => [`${this.key}.${key}`, value]));
      link.hash = address.text(this.root.id, state);
      try {
        await navigator.clipboard.writeText(link.href);
        this.say("Link copied: it opens this figure with these settings.");
        setTimeout(() => this.say(), 4000);
      } catch {
        const field = element("input", { type: "text", readonly: true, value: link.href, "aria-label": "Link to this figure" });
        this.say("Copy this link:", false, field);
        field.select();
      }
    }

    // ---- pictures drawn now, by Python in a worker
    async toggle() {
      if (this.live || this.starting) return this.leave();
      if (ON_DISK) {
        this.say(
          "Live mode needs a web server, and this page was opened from a disk. Type make book and open the address " +
            "that it prints. The prepared pictures go on working here."
        );
        return;
      }
      if (!python.worker && !(await this.wantsPython())) return;
      this.starting = true;
      this.liveButton.textContent = "Cancel";
      const bar = element("progress", { max: 1, value: 0, "aria-label": "Loading Python" });
      const tell = ({ text, done, total }) => {
        if (!this.starting) return;
        if (total) bar.value = done / total;
        this.say(text, false, bar);
      };
      tell({ text: "Starting Python…" });
      python.listeners.add(tell);
      try {
        const began = await python.start(this.spec.live);
        if (!this.starting) return;
        this.starting = false;
        this.live = true;
        this.controls.forEach((control) => control.refine(true));
        this.liveButton.textContent = "Stop live";
        this.liveButton.classList.add("ck-main");
        this.say("Live: Python runs in this page, and every value in between can be set.");
        this.root.dispatchEvent(new CustomEvent("ck:live", { bubbles: true, detail: began }));
        this.since = performance.now();
        this.fromAddress();
        this.showLive();
      } catch (error) {
        if (!this.starting) return;
        this.starting = false;
        this.liveButton.textContent = "Run live";
        this.say(`Live mode did not start: ${error.message}. The prepared pictures go on working.`, true);
      } finally {
        python.listeners.delete(tell);
      }
    }

    // What live mode is and what it loads, told before the first start in this browser.
    async wantsPython() {
      if (window.ckMemory.get("live")) return true;
      const size = Math.round(this.spec.live.bytes / 1e6);
      const yes = await new Promise((answer) => {
        const start = this.button("Start", () => answer(true), "ck-main ck-start");
        this.say(
          `Live mode runs Python in this page, so that every value between the prepared ones can be set. It loads ${size} MB, ` +
            "which your browser keeps; nothing is sent anywhere.",
          false,
          start,
          this.button("Not now", () => answer(false))
        );
        start.focus();
      });
      if (yes) window.ckMemory.set("live", true);
      else this.say();
      return yes;
    }

    leave(text = "") {
      const alone = this.starting && ![...explorers].some((other) => other !== this && (other.live || other.starting));
      if (alone && !python.held) python.stop("cancelled");
      this.starting = this.live = false;
      this.liveButton.textContent = "Run live";
      this.liveButton.classList.remove("ck-main");
      this.training?.reset();
      this.controls.forEach((control) => control.refine(false));
      this.showFrame().then(() => text && this.say(text));
    }

    async showLive() {
      if (this.training?.takes()) return;
      if (this.taken?.(++this.turn)) return;
      this.wanted = true;
      if (this.busy) return; // the newest setting is taken when the present one is done
      this.busy = true;
      const stop = element("button", { type: "button", text: "Stop", onclick: () => {
        python.stop("stopped by you");
        [...explorers].forEach((other) => other.live && other.leave("Stopped. The prepared pictures are shown."));
      } });
      while (this.wanted && this.live) {
        this.wanted = false;
        this.sayLater("Computing…", 400, stop);
        const since = this.since;
        const wants = this.wants();
        const answer = await python.ask({
          type: "draw",
          address: this.spec.address,
          settings: JSON.stringify(wants.values),
          prefix: this.prefix,
          narrow: Boolean(this.slim),
        });
        if (!this.live) break;
        if (answer.type === "drawn") {
          this.say("Live: Python runs in this page.");
          this.since = since;
          this.put(answer.svg, answer.alt, "live", wants);
        } else if (answer.type === "stopped") {
          this.leave(`Python stopped (${answer.error}). The prepared pictures are shown.`);
        } else this.say(answer.error, true);
      }
      this.busy = false;
    }

    // For tests: the numbers behind the picture.
    arrays(settings = this.values()) {
      return python.ask({ type: "arrays", address: this.spec.address, settings: JSON.stringify(settings) });
    }
  }

  // ---------------------------------------------------------------- start
  const explorers = new Set();
  const begin = () => {
    document.querySelectorAll(".ck-explorer").forEach((root) => {
      root.ck = new Explorer(root);
      if (root.ck.controls) explorers.add(root.ck);
    });
    const { anchor, state } = address.read();
    if (anchor && state.size) document.getElementById(anchor)?.scrollIntoView();
  };
  document.readyState === "loading" ? document.addEventListener("DOMContentLoaded", begin) : begin();
})();
