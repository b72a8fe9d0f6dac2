// Points that a reader adds to a picture (interactive/points.py): by mouse, touch or keyboard, where Python runs.
(() => {
  "use strict";
  const NEAR = 9; // points of the picture within which a click means a point that is there

  const read = (text) => (text === "none" ? [] : text.split("; ").map((part) => part.slice(1, -1).split(", ").map(Number)));
  const write = (points) => points.map((point) => `(${point.join(", ")})`).join("; ") || "none";

  class Adding {
    constructor(explorer, control) {
      Object.assign(this, { explorer, control, spec: control.spec });
      this.spec.drawn = this.spec.values.length;
      this.kind = 0;
      this.build();
      this.listen();
    }

    build() {
      const make = (tag, attributes, ...children) => {
        const made = Object.assign(document.createElement(tag), attributes);
        made.append(...children);
        return made;
      };
      this.kinds = this.spec.classes.map((name, k) => {
        const button = make("button", { type: "button", textContent: name });
        button.addEventListener("click", () => this.choose(k));
        return button;
      });
      const clear = make("button", { type: "button", textContent: "Clear" });
      clear.addEventListener("click", () => this.set([]));
      const group = make("div", { className: "ck-seeds" }, ...this.kinds, clear);
      group.setAttribute("role", "group");
      group.setAttribute("aria-label", `Class of the next of ${this.spec.label}`);
      this.control.row.append(group);
      this.choose(0);
      // By keyboard: a place that the arrow keys move; Enter adds a point there, or takes the one there away.
      this.grip = make("button", { type: "button", className: "ck-handle ck-adder" });
      this.at = [0.5, 0.5];
      this.explorer.stage.append(this.grip);
    }

    choose(k) {
      this.kind = k;
      this.kinds.forEach((button, at) => button.setAttribute("aria-pressed", String(at === k)));
      if (this.grip) this.shown();
    }

    ax() {
      return this.explorer.reading.axes().find((each) => each.a === this.spec.axes);
    }

    // At a place of the picture: add a point, or take away the one that is there.
    press(px, py) {
      const { explorer, spec } = this;
      const ax = this.ax();
      if (!explorer.live) {
        explorer.say("A point is added where Python runs.", false, explorer.button("Run live", () => explorer.toggle(), "ck-main"));
        return;
      }
      const points = read(this.control.value);
      const near = points.findIndex(([x, y]) => Math.hypot(...ax.place(x, y).map((at, k) => at - [px, py][k])) < NEAR);
      if (near >= 0) return this.set(points.filter((_, k) => k !== near));
      if (points.length >= spec.most) return explorer.say(`${spec.most} points are the most.`, true);
      const [low, high] = spec.free;
      const place = ax.value(px, py).map((value, k) => Number(Math.min(high[k], Math.max(low[k], value)).toFixed(3)));
      this.set([...points, [...place, this.kind]]);
    }

    set(points) {
      if (!this.explorer.live && points.length) return;
      if (points.length) this.control.put(write(points));
      else this.control.position = 0;
      this.explorer.changed();
    }

    listen() {
      const { stage, picture } = this.explorer;
      const where = (event) => {
        const svg = picture.querySelector("svg");
        const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
        return [x, y];
      };
      let from = null;
      stage.addEventListener("pointerdown", (event) => {
        from = event.button === 0 && !event.target.closest("button, input") ? [event.clientX, event.clientY] : null;
      });
      stage.addEventListener("pointerup", (event) => {
        const still = from && Math.hypot(event.clientX - from[0], event.clientY - from[1]) < 6;
        from = null;
        if (!still) return;
        const at = where(event);
        if (this.ax()?.holds(...at)) this.press(...at);
      });
      this.grip.addEventListener("keydown", (event) => {
        const by = event.shiftKey ? 0.1 : 0.02;
        const side = { ArrowLeft: [-by, 0], ArrowRight: [by, 0], ArrowUp: [0, -by], ArrowDown: [0, by] }[event.key];
        if (!side) return;
        event.preventDefault();
        this.at = this.at.map((share, k) => Math.min(1, Math.max(0, share + side[k])));
        this.shown();
      });
      this.grip.addEventListener("click", (event) => {
        if (event.detail) return; // a pointer's: the stage has heard it
        const ax = this.ax();
        if (ax) this.press(ax.left + this.at[0] * (ax.right - ax.left), ax.top + this.at[1] * (ax.bottom - ax.top));
      });
    }

    shown() {
      const ax = this.ax();
      this.grip.hidden = !ax;
      if (!ax) return;
      const view = this.explorer.over.viewBox.baseVal;
      const [px, py] = [ax.left + this.at[0] * (ax.right - ax.left), ax.top + this.at[1] * (ax.bottom - ax.top)];
      this.grip.style.left = `${(100 * px) / view.width}%`;
      this.grip.style.top = `${(100 * py) / view.height}%`;
      const [x, y] = ax.value(px, py).map((value) => Number(value.toFixed(2)));
      this.grip.setAttribute("aria-label", `New point, ${this.spec.classes[this.kind]}, at ${x}, ${y}. Arrow keys move the place, Enter adds the point or takes it away.`);
    }
  }

  window.ckParts.push((explorer) => {
    const control = explorer.controls.find((each) => each.spec.kind === "points");
    return control ? (explorer.adding = new Adding(explorer, control)) : null;
  });
})();
