// Handles on a picture (interactive/handles.py): grasped by mouse, touch or keyboard. They set the controls; the picture
// follows as it does when a slider is moved.
(() => {
  "use strict";

  class Handle {
    constructor(explorer, spec, number) {
      this.explorer = explorer;
      this.spec = spec;
      const control = (name) => explorer.controls.find((each) => each.spec.name === name);
      this.x = typeof spec.x === "string" ? control(spec.x) : null;
      this.y = typeof spec.y === "string" ? control(spec.y) : null;
      this.turned = control(spec.turn);
      this.chosen = control(spec.choice);
      this.by = control(spec.by);
      this.moved = [this.x, this.y, this.turned, this.chosen].filter(Boolean);
      this.grip = document.createElement("button");
      Object.assign(this.grip, { type: "button", className: "ck-handle", id: `${explorer.root.id}-handle-${number}` });
      if (!this.y && !this.chosen && spec.y === null) this.grip.classList.add("ck-handle-x");
      if (this.turned) this.grip.classList.add("ck-handle-turn");
      explorer.stage.append(this.grip);
      this.listen();
    }

    ax() {
      return this.explorer.reading.axes().find((each) => each.a === this.spec.axes);
    }

    // The places of the control's options, or of one of them.
    places() {
      return this.by ? this.spec.places[this.by.value] : this.spec.places;
    }

    // Whether any place will do, not only those of the options.
    get free() {
      return this.chosen?.spec.free && this.chosen.live;
    }

    toFree(x, y) {
      const [low, high] = this.chosen.spec.free;
      const pair = [x, y].map((value, k) => Number(Math.min(high[k], Math.max(low[k], value)).toPrecision(3)));
      this.chosen.put(`(${pair.join(", ")})`);
      this.shown();
      this.explorer.changed();
    }

    at(ax) {
      const pair = this.chosen && String(this.chosen.value).match(/^\((-?[\d.]+(?:e-?\d+)?), (-?[\d.]+(?:e-?\d+)?)\)$/);
      if (pair) return ax.place(Number(pair[1]), Number(pair[2]));
      if (this.chosen) return ax.place(...(this.places()[this.chosen.value] ?? [ax.x[0], ax.y[0]]));
      const x = this.x ? Number(this.x.value) : this.spec.x ?? ax.x[0];
      const y = this.y ? Number(this.y.value) : this.spec.y;
      const [px, py] = ax.place(x, y ?? ax.y[0]);
      return [px, y === null ? ax.bottom : py];
    }

    shown() {
      const ax = this.ax();
      const view = this.explorer.over.viewBox.baseVal;
      this.grip.hidden = !ax;
      if (!ax) return;
      const [px, py] = this.at(ax);
      const within = (value, low, high) => Math.min(high, Math.max(low, value));
      this.grip.style.left = `${(100 * within(px, ax.left, ax.right)) / view.width}%`;
      this.grip.style.top = `${(100 * within(py, ax.top, ax.bottom)) / view.height}%`;
      const values = this.moved.map((control) => `${control.spec.label} ${control.text ?? control.value}`).join(", ");
      this.grip.setAttribute("aria-label", `${this.spec.label}: ${values}. Drag it, or use the arrow keys.`);
    }

    listen() {
      const { grip, explorer } = this;
      grip.addEventListener("pointerdown", (event) => {
        event.preventDefault();
        event.stopPropagation();
        grip.focus({ preventScroll: true });
        grip.setPointerCapture(event.pointerId);
        this.from = { y: event.clientY, position: this.turned?.position };
        explorer.root.classList.add("ck-grasped");
        explorer.reading.hide();
      });
      grip.addEventListener("pointermove", (event) => {
        event.stopPropagation(); // nothing is read off while it is dragged
        if (this.from) this.drag(event);
      });
      for (const kind of ["pointerup", "pointercancel"]) {
        grip.addEventListener(kind, () => {
          this.from = null;
          explorer.root.classList.remove("ck-grasped");
        });
      }
      grip.addEventListener("keydown", (event) => this.key(event));
    }

    drag(event) {
      const svg = this.explorer.picture.querySelector("svg");
      const ax = this.ax();
      if (!svg || !ax) return;
      const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
      if (this.turned) {
        const { spec, fine } = this.turned;
        const steps = (this.from.y - event.clientY) / Math.max(6, 120 / (spec.values.length - 1));
        this.set([[this.turned, this.bounded(this.turned, this.from.position + Math.round(steps * fine) / fine)]]);
      } else if (this.free) {
        this.toFree(...ax.value(x, y));
      } else if (this.chosen) {
        const far = (option) => {
          const place = this.places()[option];
          return place ? Math.hypot(...ax.place(...place).map((at, k) => at - [x, y][k])) : Infinity;
        };
        const options = this.chosen.spec.values;
        const nearest = options.reduce((best, option) => (far(option) < far(best) ? option : best));
        this.set([[this.chosen, options.indexOf(nearest)]]);
      } else {
        const moves = [];
        if (this.x) moves.push([this.x, this.nearest(this.x, (value) => ax.place(value, ax.y[0])[0], x)]);
        if (this.y) moves.push([this.y, this.nearest(this.y, (value) => ax.place(ax.x[0], value)[1], y)]);
        this.set(moves);
      }
    }

    // The position of a control whose value stands nearest to a place.
    nearest(control, place, wanted) {
      const last = (control.spec.values.length - 1) * control.fine;
      let [best, least] = [control.position, Infinity];
      for (let k = 0; k <= last; k++) {
        const far = Math.abs(place(Number(control.valueAt(k / control.fine))) - wanted);
        if (far < least) [best, least] = [k / control.fine, far];
      }
      return best;
    }

    bounded(control, position) {
      return Math.min(control.spec.values.length - 1, Math.max(0, position));
    }

    set(moves) {
      const changed = moves.filter(([control, position]) => Math.abs(control.position - position) > 1e-9);
      if (!changed.length) return;
      for (const [control, position] of changed) control.position = position;
      this.shown(); // at once; the picture follows
      this.explorer.changed();
    }

    key(event) {
      const sideways = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      const upwards = { ArrowDown: -1, ArrowUp: 1 }[event.key];
      if (!sideways && !upwards) return;
      event.preventDefault();
      if (this.free) {
        const ax = this.ax();
        const by = event.shiftKey ? 0.1 : 0.02;
        const [px, py] = this.at(ax);
        const [x, y] = ax.value(px + (sideways ?? 0) * by * (ax.right - ax.left), py - (upwards ?? 0) * by * (ax.bottom - ax.top));
        this.toFree(x, y);
        return;
      }
      if (this.chosen) {
        const count = this.chosen.spec.values.length;
        this.set([[this.chosen, (this.chosen.position + (sideways ?? upwards) + count) % count]]);
        return;
      }
      const ax = this.ax();
      let control = this.turned ?? (sideways ? this.x ?? this.y : this.y ?? this.x);
      let by = sideways ?? upwards;
      // Up is up on the screen, also where an axis runs downwards.
      if (!this.turned && ((control === this.x && ax.x[0] > ax.x[1]) || (control === this.y && ax.y[0] > ax.y[1]))) by = -by;
      if (event.shiftKey) by *= 5;
      this.set([[control, this.bounded(control, control.position + by / control.fine)]]);
    }
  }

  window.ckParts.push((explorer) => {
    const handles = (explorer.spec.handles ?? []).filter(({ kind }) => !kind).map((spec, number) => new Handle(explorer, spec, number));
    explorer.handles = handles;
    return { shown: () => handles.forEach((handle) => handle.shown()) };
  });
})();
