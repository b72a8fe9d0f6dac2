// Reading a picture: the value of each curve, bar, point and pixel under the pointer, by touch, or by keyboard; and
// curves that are kept for comparison. What it needs stands in the picture (coursekit/plotting/_reading.py).
(() => {
  "use strict";
  const SVG = "http://www.w3.org/2000/svg";
  const REACH = 12; // points of the picture within which a point is meant
  const MOST_KEPT = 3;

  const drawn = (tag, attributes = {}) => {
    const made = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  };

  const RAISED = { "-": "⁻", ...Object.fromEntries([..."⁰¹²³⁴⁵⁶⁷⁸⁹"].map((digit, k) => [k, digit])) };
  const plain = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
  function number(value) {
    const size = Math.abs(value);
    if (!size || (size >= 1e-3 && size < 1e6)) return plain.format(value).replace("-", "−");
    const [digits, power] = value.toExponential(2).split("e");
    const front = String(Number(digits)).replace("-", "−");
    return `${front} × 10${[...power.replace("+", "")].map((sign) => RAISED[sign]).join("")}`;
  }

  // ---------------------------------------------------------------- axes: from places in the picture to numbers and back
  class Axes {
    constructor(known) {
      Object.assign(this, known);
      [this.left, this.top, this.right, this.bottom] = known.box;
      this.found = { curves: [], points: [], bars: [], bands: [] };
    }
    // What is drawn in them; looked for when it is asked for, not while a slider is dragged.
    get curves() {
      return this.look().curves;
    }
    get points() {
      return this.look().points;
    }
    get bars() {
      return this.look().bars;
    }
    get bands() {
      return this.look().bands;
    }
    static share([low, high, log], value) {
      return log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
    }
    static number([low, high, log], share) {
      return log ? low * (high / low) ** share : low + (high - low) * share;
    }
    place(x, y) {
      return [
        this.left + Axes.share(this.x, x) * (this.right - this.left),
        this.bottom + Axes.share(this.y, y) * (this.top - this.bottom),
      ];
    }
    value(px, py) {
      return [
        Axes.number(this.x, (px - this.left) / (this.right - this.left)),
        Axes.number(this.y, (py - this.bottom) / (this.top - this.bottom)),
      ];
    }
    // The number on an axis in words: where the ticks carry other words, those of the nearest; where they carry other
    // numbers, the one between them.
    text(side, value) {
      const ticks = this[`${side}ticks`];
      const [low, high, log] = this[side];
      if (!log && Math.abs(value) < 1e-6 * Math.abs(high - low)) value = 0;
      if (!ticks) return number(value);
      const near = [...ticks].sort((a, b) => Math.abs(a[0] - value) - Math.abs(b[0] - value));
      if (typeof near[0][1] === "string") return near[0][1];
      const [[a, here], [b, next]] = near;
      const share = (value - a) / (b - a);
      const powers = here > 0 && (next / here >= 10 || here / next >= 10);
      return number(powers ? here * (next / here) ** share : here + (next - here) * share);
    }
    holds(px, py, slack = 0) {
      return px >= this.left - slack && px <= this.right + slack && py >= this.top - slack && py <= this.bottom + slack;
    }
    // Words in a curve's colour are its name; where several curves share a colour, from top to bottom at their ends.
    nameAll() {
      for (const kind of Object.values(this.found)) {
        const colours = new Map();
        for (const each of kind) {
          each.name = this.names[each.mark] ?? "";
          if (each.name) continue;
          const colour = each.colour?.match(/#[0-9a-f]{6}/)?.[0];
          if (this.names[colour]) colours.set(colour, [...(colours.get(colour) ?? []), each]);
        }
        for (const [colour, all] of colours) {
          const names = this.names[colour];
          const end = ({ places }) => places?.at(-1)?.[1] ?? 0;
          if (names.length === all.length) [...all].sort((a, b) => end(a) - end(b)).forEach((each, k) => (each.name = names[k]));
          else for (const each of all) each.name = names.join(" or ");
        }
      }
    }
  }

  const MOVES = /([MLHVCQz])|(-?\d*\.?\d+(?:e-?\d+)?)/gi;
  function vertices(path) {
    const places = [];
    let pair = [];
    let gaps = 0;
    for (const [, letter, digits] of path.matchAll(MOVES)) {
      if (letter) {
        if (/[CQ]/i.test(letter)) return null; // not a curve of straight pieces
        if (letter === "M" && places.length) gaps = places.push(null);
        pair = [];
      } else if (pair.push(Number(digits)) === 2) {
        places.push(pair);
        pair = [];
      }
    }
    return places;
  }

  const paint = (style, kind) => style.match(new RegExp(`(?:^|;)${kind}:([^;]+)`))?.[1];

  // The axes of a picture.
  function read(svg) {
    const axes = [...svg.querySelectorAll("metadata:not([data-map])")].flatMap((each) => {
      try {
        return new Axes(JSON.parse(each.textContent));
      } catch {
        return []; // a translated page: the picture is shown, and is not read
      }
    });
    let done = false;
    for (const ax of axes) {
      ax.look = () => {
        if (!done) {
          done = true;
          find(svg, axes);
        }
        return ax.found;
      };
    }
    return axes;
  }

  function find(svg, axes) {
    const of = (places) => {
      const first = places.find((place) => place && axes.some((ax) => ax.holds(...place, 1)));
      return first && axes.find((ax) => ax.holds(...first, 1));
    };
    for (const group of svg.querySelectorAll("[data-s]")) {
      const mark = group.dataset.s;
      const paths = [...group.querySelectorAll("path")].filter((path) => !path.closest("defs"));
      for (const path of paths) {
        const places = vertices(path.getAttribute("d") ?? "");
        const ax = places?.length > 1 && of(places);
        if (!ax) continue;
        const style = path.getAttribute("style") ?? "";
        if (/(?:^|;)fill:none/.test(style)) {
          const colour = paint(style, "stroke") ?? "currentColor";
          const rises = goesOn(places, 0);
          ax.found.curves.push({ mark, colour, places, rises, climbs: !rises && goesOn(places, 1) });
        } else {
          const bar = rectangle(places);
          const colour = paint(style, "fill");
          if (bar && bar.high < ax.bottom - ax.top - 1) ax.found.bars.push({ ...bar, mark, colour });
          else if (!bar && places.length > 6) ax.found.bands.push({ places: [...places, places[0]], mark, colour });
        }
      }
      if (paths.length && group.querySelector("path")?.getAttribute("style")?.includes("fill:none")) continue;
      for (const use of group.querySelectorAll("use")) {
        const place = [Number(use.getAttribute("x") ?? 0), Number(use.getAttribute("y") ?? 0)];
        const ax = axes.find((each) => each.holds(...place, 1));
        const colour = paint(use.getAttribute("style") ?? "", "fill");
        ax?.found.points.push({ place, mark, colour });
      }
    }
    axes.forEach((ax) => ax.nameAll());
  }

  function rectangle(places) {
    if (places.includes(null) || places.length < 4 || places.length > 5) return null;
    const xs = places.map(([x]) => x);
    const ys = places.map(([, y]) => y);
    const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
    const square = places.every(([x, y]) => (x === left || x === right) && (y === top || y === bottom));
    return square && { left, right, top, bottom, wide: right - left, high: bottom - top };
  }

  // Whether a curve goes one way only: to the right (0), or down or up (1).
  function goesOn(places, side) {
    const steps = places.slice(1).map((place, k) => (place && places[k] ? place[side] - places[k][side] : 0));
    return steps.every((step) => step >= 0) || (side === 1 && steps.every((step) => step <= 0));
  }

  // The heights at which a filled shape begins and ends at a place.
  function extent(places, px) {
    const crossed = places.slice(1).flatMap((place, k) => {
      const y = place && places[k] ? height([places[k], place].sort((a, b) => a[0] - b[0]), px) : null;
      return y === null ? [] : [y];
    });
    return crossed.length ? [Math.max(...crossed), Math.min(...crossed)] : null;
  }

  // The height of a curve at a place, or null.
  function height(places, px) {
    for (let k = 1; k < places.length; k++) {
      const [a, b] = [places[k - 1], places[k]];
      if (a && b && px >= a[0] && px <= b[0]) return b[0] === a[0] ? b[1] : a[1] + ((b[1] - a[1]) * (px - a[0])) / (b[0] - a[0]);
    }
    return null;
  }

  function nearest(places, px, py) {
    let [best, least] = [null, REACH];
    for (const place of places) {
      const far = place ? Math.hypot(place[0] - px, place[1] - py) : Infinity;
      if (far < least) [best, least] = [place, far];
    }
    return best;
  }

  // ---------------------------------------------------------------- what stands at a place
  function rows(ax, px, py) {
    const found = [];
    const say = (side, value) => ax.text(side, value);
    const pair = (place) => `(${ax.value(...place).map((value, k) => say("xy"[k], value)).join(", ")})`;
    for (const { name, colour, places, rises, climbs } of ax.curves) {
      if (rises && places.at(-1)[0] - places[0][0] > 1) {
        const y = height(places, px);
        if (y !== null && ax.holds(px, y, 1)) found.push({ name, colour, text: say("y", ax.value(px, y)[1]), at: [px, y] });
      } else if (climbs && Math.abs(places.at(-1)[1] - places[0][1]) > 1) {
        const down = [...places].map((place) => place && [place[1], place[0]]);
        const x = height(places[0][1] > places.at(-1)[1] ? down.reverse() : down, py);
        if (x !== null && ax.holds(x, py, 1)) found.push({ name, colour, text: say("x", ax.value(x, py)[0]), at: [x, py] });
      } else if (!rises) {
        const place = nearest(places, px, py);
        if (place) found.push({ name, colour, text: pair(place), at: place });
      }
    }
    const lying = ax.bars.length > 1 && ax.bars.every((bar) => bar.left === ax.bars[0].left);
    for (const bar of ax.bars) {
      const within = lying ? py >= bar.top && py <= bar.bottom : px >= bar.left && px <= bar.right;
      if (!within) continue;
      const [low, high] = lying
        ? [ax.value(bar.left, 0)[0], ax.value(bar.right, 0)[0]]
        : [ax.value(0, bar.bottom)[1], ax.value(0, bar.top)[1]];
      const text = high <= 1e-9 * Math.abs(low) ? number(low) : low <= 1e-9 * Math.abs(high) || (lying ? ax.x : ax.y)[2] || Math.abs(low) < 0.01 * Math.abs(high) ? number(high) : `${number(low)} to ${number(high)}`;
      found.push({ name: bar.name, colour: bar.colour, text, at: lying ? [bar.right, (bar.top + bar.bottom) / 2] : [(bar.left + bar.right) / 2, bar.top] });
    }
    for (const { name, colour, places } of ax.bands) {
      const ends = extent(places, px)?.map((y) => ax.value(px, y)[1]);
      if (!ends || ends[0] === ends[1]) continue;
      const onGround = Math.abs(ends[0]) < 0.01 * Math.abs(ends[1]);
      if (onGround) found.push({ name, colour, text: number(ends[1]) });
      else if (ax.bands.length < 4) found.push({ name, colour, text: `${number(ends[0])} to ${number(ends[1])}` });
    }
    const point = nearest(ax.points.map(({ place }) => place), px, py);
    if (point) {
      const { name, colour } = ax.points.find(({ place }) => place === point);
      found.push({ name, colour, text: pair(point), at: point });
    }
    return found.slice(0, 12);
  }

  // ---------------------------------------------------------------- pixels
  const pictures = new Map(); // data address -> its pixels, once it is decoded
  function pixels(address, again) {
    const known = pictures.get(address);
    if (known) return known.data;
    const entry = { data: null };
    pictures.set(address, entry);
    if (pictures.size > 40) pictures.delete(pictures.keys().next().value);
    const image = new Image();
    image.onload = () => {
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
      const paper = canvas.getContext("2d", { willReadFrequently: true });
      paper.drawImage(image, 0, 0);
      entry.data = paper.getImageData(0, 0, canvas.width, canvas.height);
      again();
    };
    image.src = address;
    return null;
  }

  function pixel(svg, ax, px, py, again) {
    for (const image of svg.querySelectorAll("image")) {
      const local = new DOMPoint(px, py).matrixTransform(svg.getScreenCTM()).matrixTransform(image.getScreenCTM().inverse());
      const size = ["x", "y", "width", "height"].map((name) => Number(image.getAttribute(name) ?? 0));
      const share = [(local.x - size[0]) / size[2], (local.y - size[1]) / size[3]];
      if (share.some((part) => part < 0 || part >= 1)) continue;
      const data = pixels(image.getAttribute("href"), again);
      if (!data) return null;
      const at = 4 * (Math.floor(share[1] * data.height) * data.width + Math.floor(share[0] * data.width));
      const colour = [...data.data.slice(at, at + 4)];
      return colour[3] < 128 ? null : { colour: `rgb(${colour.slice(0, 3)})`, text: shade(svg, ax.image, colour) };
    }
    return null;
  }

  function shade(svg, { map, low, high, log }, colour) {
    if (!map) return "";
    let index = colour[0];
    if (map !== "gray") {
      const table = (svg.ckMaps ??= {})[map] ??= atob(svg.querySelector(`metadata[data-map="${map}"]`).textContent);
      let least = Infinity;
      for (let k = 0; k < 256; k++) {
        const far = [0, 1, 2].reduce((sum, c) => sum + (table.charCodeAt(3 * k + c) - colour[c]) ** 2, 0);
        if (far < least) [index, least] = [k, far];
      }
      if (least > 1500) return ""; // something else is drawn there
    }
    const value = Axes.number(log ? [low, high, "log"] : [low, high], index / 255);
    return `${index === 255 ? "≥" : index === 0 ? "≤" : "≈"} ${number(value)}`;
  }

  // ---------------------------------------------------------------- one explorer's picture
  class Reading {
    constructor(explorer) {
      this.explorer = explorer;
      this.kept = [];
      this.card = document.createElement("div");
      this.card.className = "ck-card";
      this.card.hidden = true;
      this.cross = drawn("g", { class: "ck-cross" });
      this.keeping = drawn("g", { class: "ck-kept" });
      explorer.over.append(this.keeping, this.cross);
      explorer.stage.append(this.card);
      this.keys();
      this.pointer();
      this.keeper();
    }

    get svg() {
      return this.explorer.picture.querySelector("svg");
    }

    axes() {
      const { svg } = this;
      if (this.of !== svg) [this.of, this.known] = [svg, read(svg)];
      return this.known;
    }

    shown() {
      this.of = null;
      this.drawKept();
      if (this.at) this.show();
    }

    // ---- by mouse and touch
    pointer() {
      const { stage } = this.explorer;
      const point = (event) => {
        const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(this.svg.getScreenCTM().inverse());
        const ax = this.axes().find((each) => each.holds(x, y, 2));
        if (!ax) return this.hide();
        this.at = { a: ax.a, share: [(x - ax.left) / (ax.right - ax.left), (y - ax.top) / (ax.bottom - ax.top)] };
        this.show();
      };
      stage.addEventListener("pointermove", point);
      stage.addEventListener("pointerdown", point);
      stage.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && this.hide());
      addEventListener("pointerdown", (event) => this.at && !stage.contains(event.target) && this.hide());
      addEventListener("keydown", (event) => event.key === "Escape" && this.at && this.hide());
    }

    // ---- by keyboard: one slider that goes through the panels from left to right
    keys() {
      const input = document.createElement("input");
      const title = this.explorer.spec.title;
      Object.assign(input, { type: "range", min: 0, max: 100, value: 0, className: "ck-read", autocomplete: "off" });
      input.setAttribute("aria-label", `Read values off the picture${title ? `: ${title}` : ""}`);
      input.setAttribute("aria-valuetext", "left and right along the axis, up and down across it, page keys to the next panel");
      input.addEventListener("input", () => this.along(Number(input.value) / 100));
      input.addEventListener("blur", () => this.hide());
      input.addEventListener("keydown", (event) => {
        const step = { ArrowUp: -0.04, ArrowDown: 0.04 }[event.key];
        const panel = { PageUp: -1, PageDown: 1 }[event.key];
        if (!step && !panel) return;
        event.preventDefault();
        this.at ??= this.start();
        if (!this.at) return;
        if (step) this.at.share[1] = Math.min(1, Math.max(0, this.at.share[1] + step));
        else {
          const axes = this.axes();
          const now = axes.findIndex((ax) => ax.a === this.at.a);
          this.at.a = axes[(now + panel + axes.length) % axes.length].a;
        }
        this.show();
      });
      this.input = input;
      this.explorer.stage.append(input);
    }

    start() {
      const [first] = this.axes();
      return first && { a: first.a, share: [0, 0.5] };
    }

    along(share) {
      this.at ??= this.start();
      if (!this.at) return;
      this.at.share[0] = share;
      this.show();
    }

    // ---- the card beside the place
    show() {
      const ax = this.axes().find((each) => each.a === this.at.a);
      if (!ax) return this.hide();
      const px = ax.left + this.at.share[0] * (ax.right - ax.left);
      const py = ax.top + this.at.share[1] * (ax.bottom - ax.top);
      const [x, y] = ax.value(px, py);
      let found = rows(ax, px, py);
      this.kept.forEach(({ axes }, k) => found.push(...this.keptRows(axes, ax, x, k)));
      if (ax.image) {
        const seen = pixel(this.svg, ax, px, py, () => this.at && this.show());
        if (seen?.text) found = [{ name: ax.title && ax.title.length < 24 ? ax.title : "value", ...seen }, ...found];
      }
      const plane = ax.image || !found.length || ax.points.length || ax.curves.some((curve) => !curve.rises);
      const bare = ax.image && !ax.xlabel && !ax.ylabel;
      const across = bare ? `column ${Math.round(x)}` : `${ax.xlabel ?? "x"} ${ax.text("x", x)}`;
      const up = bare ? `row ${Math.round(y)}` : `${ax.ylabel ?? "y"} ${ax.text("y", y)}`;
      this.fill(plane ? `${across}, ${up}` : across, found);
      this.point(ax, px, py, plane, found);
      this.input.setAttribute("aria-valuetext", [ax.title, plane ? `${across}, ${up}` : across, ...found.map((row) => `${row.name} ${row.text}`.trim())].filter(Boolean).join("; "));
      this.input.value = Math.round(100 * this.at.share[0]);
    }

    fill(head, found) {
      const lines = found.map(({ name, colour, text }) => {
        const line = document.createElement("div");
        const dot = document.createElement("i");
        dot.style.background = colour ?? "currentColor";
        const value = document.createElement("b");
        value.textContent = text;
        line.append(dot, ...(name ? [`${name} `] : []), value);
        return line;
      });
      const top = document.createElement("div");
      top.textContent = head;
      this.card.replaceChildren(top, ...lines);
    }

    point(ax, px, py, plane, found) {
      const marks = [drawn("line", { x1: px, x2: px, y1: ax.top, y2: ax.bottom })];
      if (plane) marks.push(drawn("line", { x1: ax.left, x2: ax.right, y1: py, y2: py }));
      for (const { at } of found) if (at) marks.push(drawn("circle", { cx: at[0], cy: at[1], r: 3 }));
      this.cross.replaceChildren(...marks);
      this.card.hidden = false;
      const scale = this.svg.getBoundingClientRect().width / this.svg.viewBox.baseVal.width;
      // Beside the place, on the side that has room, and never off the picture.
      const [room, wide] = [this.explorer.stage.clientWidth, this.card.offsetWidth];
      const left = px * scale + 10 + wide <= room ? px * scale + 10 : px * scale - 10 - wide;
      this.card.style.left = `${Math.max(0, Math.min(room - wide, left))}px`;
      this.card.style.top = `${Math.min(ax.top * scale + 4, Math.max(0, py * scale))}px`;
    }

    hide() {
      this.at = null;
      this.card.hidden = true;
      this.cross.replaceChildren();
    }

    // ---- curves that stay
    keeper() {
      if (!this.axes().some((ax) => ax.curves.length || ax.bars.length)) return;
      const { explorer } = this;
      explorer.addButton("Keep", () => this.keep(), "ck-keep");
      this.note = document.createElement("p");
      this.note.className = "ck-kept-note";
      this.note.hidden = true;
      explorer.stage.after(this.note);
    }

    keep() {
      const text = this.explorer.wants().text.replace(/^Shown for (.*)\.$/, "$1");
      if (this.kept.some((each) => each.text === text)) return;
      this.kept = [...this.kept, { text, axes: this.axes() }].slice(-MOST_KEPT);
      this.drawKept();
    }

    forget() {
      this.kept = [];
      this.drawKept();
      this.explorer.root.querySelector(".ck-keep").focus();
    }

    drawKept() {
      const parts = [];
      this.kept.forEach(({ axes }, k) => {
        for (const old of axes) {
          const now = this.same(old);
          if (!now) continue;
          const clip = `${this.explorer.root.id}-kept-${now.a}`;
          const hole = drawn("clipPath", { id: clip });
          hole.append(drawn("rect", { x: now.left, y: now.top, width: now.right - now.left, height: now.bottom - now.top }));
          const inside = drawn("g", { "clip-path": `url(#${clip})`, class: `ck-kept-${k}` });
          const shapes = old.curves.map(({ places }) => [places, false]);
          shapes.push(...old.bars.map((bar) => [[[bar.left, bar.bottom], [bar.left, bar.top], [bar.right, bar.top], [bar.right, bar.bottom]], true]));
          for (const [places] of shapes) {
            let pen = "M";
            const d = places.map((place) => {
              if (!place) return (pen = "M") && "";
              const part = `${pen}${now.place(...old.value(...place)).map((at) => at.toFixed(2)).join(" ")}`;
              pen = "L";
              return part;
            });
            inside.append(drawn("path", { d: d.join("") }));
          }
          parts.push(hole, inside);
        }
      });
      this.keeping.replaceChildren(...parts);
      if (!this.note) return;
      this.note.hidden = !this.kept.length;
      const forget = this.explorer.button("Forget kept", () => this.forget());
      const words = this.kept.map(({ text }, k) => {
        const line = document.createElement("span");
        line.className = `ck-kept-${k}`;
        line.textContent = `Kept: ${text}.`;
        return line;
      });
      this.note.replaceChildren(...words, forget);
    }

    // The axes of the present picture in which those of a kept one can be drawn.
    same(old) {
      return this.axes().find((ax) => ax.a === old.a && ax.x[2] === old.x[2] && ax.y[2] === old.y[2] && !ax.image);
    }

    keptRows(axes, ax, x, k) {
      const old = axes.find((each) => each.a === ax.a && this.same(each) === ax);
      if (!old) return [];
      const [px] = old.place(x, old.y[0]);
      return rows(old, px, -1e6).map(
        ({ name, text }) => ({ name: `kept ${this.kept.length > 1 ? k + 1 : ""} ${name}`.replace(/ +/g, " ").trim(), colour: "var(--ck-muted)", text })
      );
    }
  }

  window.ckReading = { read, number, drawn };
  (window.ckParts ??= []).push((explorer) => (explorer.reading = new Reading(explorer)));
})();
