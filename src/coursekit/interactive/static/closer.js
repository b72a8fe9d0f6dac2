// A closer look (interactive/closer.py): one of a picture's small maps, shown large in the place of another part. The map
// is in the picture already; its part of the picture is drawn again, larger.
(() => {
  "use strict";
  const SVG = "http://www.w3.org/2000/svg";

  class Closer {
    constructor(explorer, spec) {
      Object.assign(this, { explorer, spec, chosen: -1 });
      this.counted = explorer.controls.find((each) => each.spec.name === spec.count);
      this.changes = explorer.controls.find((each) => each.spec.name === spec.by);
      const grids = this.changes ? Object.values(spec.grid) : [spec.grid];
      const most = Math.max(...grids.map(([rows, columns]) => rows * columns));
      this.buttons = Array.from({ length: most }, (_, k) => {
        const button = document.createElement("button");
        Object.assign(button, { type: "button", className: "ck-closer" });
        button.addEventListener("click", () => this.choose(k));
        explorer.stage.append(button);
        return button;
      });
      this.large = document.createElementNS(SVG, "svg");
      this.large.setAttribute("preserveAspectRatio", "none");
      this.large.setAttribute("overflow", "hidden");
      explorer.over.prepend(this.large);
    }

    ax(number) {
      return this.explorer.reading.axes().find((each) => each.a === number);
    }

    // Rows, columns and gap at the present setting; nothing where there are no maps.
    grid() {
      const { grid, gap } = this.spec;
      return this.changes ? grid[this.changes.value] : [...grid, gap];
    }

    // Left, top, width and height of a place of the grid.
    tile(ax, k) {
      const [rows, columns, gap] = this.grid();
      const [width, height] = [ax.right - ax.left, ax.bottom - ax.top];
      const [across, down] = [(gap * width) / Math.abs(ax.x[1] - ax.x[0]), (gap * height) / Math.abs(ax.y[1] - ax.y[0])];
      const size = [(width - (columns - 1) * across) / columns, (height - (rows - 1) * down) / rows];
      return [ax.left + (k % columns) * (size[0] + across), ax.top + Math.floor(k / columns) * (size[1] + down), ...size];
    }

    // What the picture says of it: the name of the curve that lies in it, such as a formula.
    words(ax, [left, top, width, height]) {
      const within = ([x, y]) => x >= left - 1 && x <= left + width + 1 && y >= top - 1 && y <= top + height + 1;
      return ax.curves.find(({ places, name }) => name && places.filter(Boolean).every(within))?.name ?? "";
    }

    choose(k) {
      this.chosen = this.chosen === k ? -1 : k;
      this.explorer.reading.hide();
      this.shown();
      const ax = this.ax(this.spec.axes);
      if (this.chosen < 0 || !ax) return this.explorer.say();
      const words = this.words(ax, this.tile(ax, k));
      this.explorer.say(`Shown large: ${this.spec.label} ${k + 1}${words ? `, ${words}` : ""}. Press it once more to go back.`);
    }

    shown() {
      const { explorer, spec } = this;
      const [ax, into] = [this.ax(spec.axes), this.ax(spec.into)];
      const grid = this.grid();
      const count = ax && into && grid ? Number(this.counted?.value ?? grid[0] * grid[1]) : 0;
      if (this.chosen >= count) this.chosen = -1;
      const view = explorer.over.viewBox.baseVal;
      this.buttons.forEach((button, k) => {
        button.hidden = k >= count;
        if (button.hidden) return;
        const [left, top, width, height] = this.tile(ax, k);
        const share = [left / view.width, top / view.height, width / view.width, height / view.height];
        ["left", "top", "width", "height"].forEach((side, at) => (button.style[side] = `${100 * share[at]}%`));
        button.setAttribute("aria-pressed", String(k === this.chosen));
        const words = this.words(ax, [left, top, width, height]);
        button.setAttribute("aria-label", `Look at ${spec.label} ${k + 1}${words ? `: ${words}` : ""}`);
      });
      this.large.replaceChildren();
      if (this.chosen < 0) return;
      const tile = this.tile(ax, this.chosen);
      this.large.setAttribute("viewBox", tile.map((number) => number.toFixed(2)).join(" "));
      const box = { x: into.left, y: into.top, width: into.right - into.left, height: into.bottom - into.top };
      for (const [name, value] of Object.entries(box)) this.large.setAttribute(name, value.toFixed(2));
      const ground = document.createElementNS(SVG, "rect");
      const paper = { x: tile[0], y: tile[1], width: tile[2], height: tile[3], class: "ck-paper" };
      for (const [name, value] of Object.entries(paper)) ground.setAttribute(name, value);
      this.large.append(ground, ...this.parts(tile));
    }

    // Copies of what is drawn within a place, without their ids.
    parts([left, top, width, height]) {
      const drawn = [...this.explorer.picture.querySelector("svg").children].filter((part) => {
        if (!part.getBBox || part.tagName === "defs") return false;
        const box = part.getBBox();
        return box.x < left + width && box.x + box.width > left && box.y < top + height && box.y + box.height > top;
      });
      return drawn.map((part) => {
        const copy = part.cloneNode(true);
        [copy, ...copy.querySelectorAll("[id]")].forEach((each) => each.removeAttribute("id"));
        return copy;
      });
    }

    reset() {
      this.chosen = -1;
      this.shown();
    }
  }

  window.ckParts.push((explorer) => {
    const [spec] = (explorer.spec.handles ?? []).filter(({ kind }) => kind === "closer");
    return spec ? (explorer.closer = new Closer(explorer, spec)) : null;
  });
})();
