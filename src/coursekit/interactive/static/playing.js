// Time in an explorer (interactive/playing.py): play, pause, one step, any step. A run's picture is uncovered as far as it
// had come; or a setting of rising numbers is played through.
(() => {
  "use strict";
  const { drawn, number } = window.ckReading;
  const SECONDS = 8; // for the whole of a run at speed 1
  const STOPS = 3; // of a setting, a second
  const SPEEDS = [1, 2, 4, 0.5];
  const calm = matchMedia("(prefers-reduced-motion: reduce)");

  class Playing {
    constructor(explorer) {
      this.explorer = explorer;
      this.spec = explorer.spec.time;
      this.control = explorer.controls.find((each) => each.spec.name === this.spec.over);
      this.share = 1; // of the time; the whole run is shown until someone plays it
      this.speed = 1;
      this.build();
    }

    build() {
      const { explorer, spec } = this;
      const make = (tag, attributes) => Object.assign(document.createElement(tag), attributes);
      const id = `${explorer.root.id}-time`;
      this.play = make("button", { type: "button", className: "ck-play", textContent: "▶" });
      this.play.addEventListener("click", () => (this.running ? this.pause() : this.start()));
      this.step = make("button", { type: "button", className: "ck-step", textContent: "+1" });
      this.step.setAttribute("aria-label", `One ${spec.unit} on`);
      this.step.addEventListener("click", () => this.one());
      this.fast = make("button", { type: "button", className: "ck-speed", textContent: "1×" });
      this.fast.addEventListener("click", () => this.faster());
      this.faster(0);
      if (this.control) {
        // The control is the time axis: its slider gets the buttons.
        const track = this.control.row.querySelector(".ck-track");
        const row = make("div", { className: "ck-player" });
        track.replaceWith(row);
        row.append(this.play, track, this.step, this.fast);
      } else {
        this.input = make("input", { id, type: "range", min: 0, step: 1, autocomplete: "off" });
        this.input.addEventListener("input", () => {
          this.pause();
          this.to(Number(this.input.value) / this.input.max);
        });
        this.output = make("output", { htmlFor: id });
        const label = make("label", { htmlFor: id, textContent: spec.unit });
        const row = make("div", { className: "ck-player" });
        row.append(this.play, this.input, this.step, this.fast);
        this.origin = explorer.controls.find((each) => each.spec.free);
        if (this.origin && spec.paths.length) {
          this.here = make("button", { type: "button", className: "ck-here", textContent: "From here", hidden: true });
          this.here.title = "The present place becomes the start; what the optimizer remembers begins anew";
          this.here.addEventListener("click", () => this.onFromHere());
          row.append(this.here);
        }
        const item = make("div", { className: "ck-time" });
        item.append(label, this.output, row);
        explorer.group.append(item);
      }
      this.say();
    }

    get svg() {
      return this.explorer.picture.querySelector("svg");
    }

    // ---- the run's own time
    // The axes that show it, and from where to where it goes.
    timed() {
      const axes = this.explorer.reading.axes();
      const named = axes.filter((ax) => ax.xlabel?.startsWith(this.spec.unit) && !ax.image);
      const alike = (ax) => named.some((one) => one.left === ax.left && one.right === ax.right && String(one.x) === String(ax.x));
      return { along: axes.filter((ax) => !ax.image && alike(ax)), paths: axes.filter((ax) => this.spec.paths.includes(ax.a)) };
    }

    // How many steps the picture shows: those of its axis, or the longest path's.
    count() {
      const [first] = this.timed().along;
      if (first) return Math.abs(first.x[1] - first.x[0]);
      return Math.max(1, ...this.timed().paths.flatMap((ax) => ax.curves.map((curve) => curve.places.length - 1)));
    }

    // The steps of the present picture.
    measure() {
      const { along } = this.timed();
      this.axis = along[0];
      this.whole = this.count();
      const log = this.axis?.x[2];
      this.steps = this.whole < 20 || log ? 100 : Math.round(this.whole); // on the slider
      this.input.max = this.steps;
    }

    // What is cut: holes in front of the curves, and paths.
    prepare() {
      const { along, paths } = this.timed();
      this.holes = [];
      this.walks = [];
      this.cut = [];
      const group = (curve) => this.svg.querySelector(`[data-s="${curve.mark}"]`);
      for (const ax of along) {
        const id = `${this.explorer.root.id}-time-${ax.a}`;
        const hole = drawn("clipPath", { id });
        const box = drawn("rect", { x: ax.left - 6, y: ax.top - 40, height: ax.bottom - ax.top + 80 });
        hole.append(box);
        this.svg.append(hole);
        this.holes.push({ ax, box, hole });
        for (const each of [...ax.curves.filter(({ places }) => places.length > 2), ...ax.bars, ...ax.points, ...ax.bands]) {
          const part = group(each);
          part?.setAttribute("clip-path", `url(#${id})`);
          if (part) this.cut.push(part);
        }
      }
      for (const ax of paths) {
        for (const curve of ax.curves.filter(({ places }) => places.length > 2)) {
          const within = group(curve);
          const path = [...within.querySelectorAll("path")].find((each) => !each.closest("defs"));
          const whole = path.getAttribute("d");
          this.walks.push({ path, whole, pieces: whole.match(/[ML][^ML]+/g), marks: [...within.querySelectorAll("use")] });
        }
      }
      this.prepared = this.svg;
    }

    // The picture as it came.
    restore() {
      if (this.prepared === this.svg) {
        this.holes.forEach(({ hole }) => hole.remove());
        this.cut.forEach((part) => part.removeAttribute("clip-path"));
        this.walks.forEach(({ path, whole, marks }) => {
          path.setAttribute("d", whole);
          marks.forEach((mark) => mark.style.removeProperty("display"));
        });
      }
      this.prepared = null;
    }

    uncover() {
      if (this.share >= 1) return this.restore();
      if (this.prepared !== this.svg) this.prepare();
      for (const { ax, box } of this.holes) box.setAttribute("width", Math.max(0, 6 + this.place(ax) - ax.left));
      for (const { path, pieces, marks } of this.walks) {
        const count = Math.min(pieces.length, 1 + Math.floor(this.share * this.whole + 1e-6));
        path.setAttribute("d", pieces.slice(0, count).join(""));
        marks.forEach((mark, k) => (mark.style.display = k < count ? "" : "none"));
      }
    }

    // Where the present step stands on an axis: steps are counted from its left end, or from 1 where it is logarithmic.
    place(ax) {
      const [low, high, log] = ax.x;
      return ax.place(log ? low * (high / low) ** this.share : low + (high - low) * this.share, ax.y[0])[0];
    }

    // What stands on the time axis at the present share, in its own count.
    now() {
      if (!this.axis) return Math.round(this.share * this.whole);
      const [low, high, log] = this.axis.x;
      const value = log ? low * (high / low) ** this.share : low + (high - low) * this.share;
      return Math.max(low, high) > 20 ? Math.round(value) : value; // steps are whole, a few epochs are not
    }

    // ---- both kinds
    shown() {
      if (this.control) return;
      if (this.here) this.here.hidden = !this.explorer.live;
      this.measure();
      this.to(this.share);
    }

    to(share) {
      this.share = Math.min(1, Math.max(0, share));
      this.uncover();
      this.input.value = Math.round(this.share * this.steps);
      const text = `${number(this.now())}`;
      this.output.textContent = text;
      this.input.setAttribute("aria-valuetext", `${this.spec.unit} ${text}`);
      this.explorer.root.dispatchEvent(new CustomEvent("ck:time", { bubbles: true, detail: { share: this.share } }));
    }

    // Live: the run goes on from where it is, with the settings as they are now.
    onFromHere() {
      const [ax] = this.timed().paths;
      const places = ax?.curves.find((curve) => curve.places.length > 2)?.places.filter(Boolean);
      if (!places) return;
      const at = ax.value(...places[Math.min(places.length - 1, Math.floor(this.share * this.whole + 1e-6))]);
      const [low, high] = this.origin.spec.free;
      this.origin.put(`(${at.map((value, k) => Number(Math.min(high[k], Math.max(low[k], value)).toPrecision(4))).join(", ")})`);
      this.share = 0;
      this.explorer.changed();
      if (!this.running) this.start();
    }

    one() {
      this.pause();
      if (this.control) this.turn(1);
      else this.to((this.share >= 1 ? 0 : Math.floor(this.share * this.steps + 1e-6) + 1) / this.steps);
    }

    // The next stop of the setting; false at its end.
    turn(by) {
      const { control } = this;
      const last = control.spec.values.length - 1;
      if (control.position >= last && by > 0 && this.running) return false;
      control.position = control.position >= last ? 0 : Math.floor(control.position) + by;
      this.explorer.changed();
      return true;
    }

    faster(by = 1) {
      this.speed = SPEEDS[(SPEEDS.indexOf(this.speed) + by) % SPEEDS.length];
      this.fast.textContent = `${this.speed}×`;
      this.fast.setAttribute("aria-label", `Speed ${this.speed}×`);
    }

    start() {
      const atEnd = this.control ? this.control.position >= this.control.spec.values.length - 1 : this.share >= 1;
      this.running = true;
      this.say();
      if (this.control) {
        if (atEnd) {
          this.control.position = 0;
          this.explorer.changed();
        }
        this.tick();
        return;
      }
      if (atEnd) this.to(0);
      this.last = performance.now();
      this.frame();
    }

    // Stop after stop; the next one when the present picture is shown.
    tick() {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => {
        if (!this.running) return;
        if (this.turn(1)) this.tick();
        else this.pause();
      }, 1000 / STOPS / this.speed);
    }

    // A picture for each frame of the screen; with reduced motion, a tenth of the run each second.
    frame() {
      if (!this.running) return;
      const now = performance.now();
      const passed = ((now - this.last) / 1000) * this.speed;
      if (!calm.matches || passed >= 1) {
        this.last = now;
        this.to(this.share + (calm.matches ? 0.1 : Math.min(passed, 0.5) / SECONDS));
      }
      if (this.share >= 1 - 1e-9) this.pause();
      else requestAnimationFrame(() => this.frame());
    }

    pause() {
      this.running = false;
      clearTimeout(this.timer);
      this.say();
    }

    say() {
      this.play.textContent = this.running ? "❚❚" : "▶";
      const what = this.explorer.spec.title ? `: ${this.explorer.spec.title}` : "";
      this.play.setAttribute("aria-label", `${this.running ? "Pause" : "Play"}${what}`);
    }

    reset() {
      this.pause();
      if (!this.control) this.to(1);
    }
  }

  window.ckParts.push((explorer) => explorer.spec.time && (explorer.playing = new Playing(explorer)));
})();
