// A training that goes on while its settings are changed (interactive/playing.py, Training): where Python runs, "Train on"
// draws picture after picture, each some steps further, with the settings as they are at that moment.
(() => {
  "use strict";

  class Trainer {
    constructor(explorer) {
      this.explorer = explorer;
      this.spec = explorer.spec.time.training;
      this.over = explorer.playing.control;
      this.running = this.started = false;
      this.forgotten = 0; // how often: an answer that was asked for before belongs to nothing any more
      this.button = explorer.button("", () => this.toggle(), "ck-train");
      explorer.head.querySelector(".ck-title").after(this.button);
      this.say();
    }

    say() {
      const title = this.explorer.spec.title;
      this.button.textContent = this.running ? "❚❚ Training" : "Train on";
      this.button.setAttribute("aria-label", `${this.running ? "Pause the training" : "Train on from here"}${title ? `: ${title}` : ""}`);
    }

    async toggle() {
      const { explorer } = this;
      if (this.running) return this.pause();
      if (!explorer.live) await explorer.toggle();
      if (!explorer.live) return;
      explorer.playing.pause();
      this.running = true;
      this.say();
      await this.loop();
    }

    pause() {
      this.running = false;
      this.say();
      this.explorer.say(`Paused after step ${this.over.reached}. Change a setting and go on, or reset.`);
    }

    // The settings with which a training begins: when one of these changes, it begins anew.
    beginning() {
      return JSON.stringify(Object.entries(this.explorer.values()).filter(([name]) => !this.spec.settings.includes(name)));
    }

    async loop() {
      const times = [];
      while (this.running && this.explorer.live) {
        const began = performance.now();
        if (!(await this.further(this.spec.steps * this.explorer.playing.speed))) break;
        await new Promise((done) => setTimeout(done)); // the page answers between two pictures
        times.push(performance.now() - began);
        const second = times.slice(-5);
        const rate = (1000 * second.length) / second.reduce((sum, one) => sum + one, 0);
        if (this.running) this.explorer.say(`Training: step ${this.over.reached}, ${rate.toFixed(rate < 2 ? 1 : 0)} pictures a second. A changed setting counts from the next step on.`);
      }
      if (this.running) this.stop();
    }

    // One picture, some steps further; false if Python does not answer.
    async further(steps) {
      const { explorer } = this;
      const since = performance.now();
      const wants = explorer.wants();
      const key = this.beginning();
      const anew = !this.started || key !== this.key;
      const { forgotten } = this;
      const answer = await window.ckPython.ask({
        type: "train", address: explorer.spec.address, settings: JSON.stringify(wants.values), prefix: explorer.prefix,
        steps: Math.max(steps ? 1 : 0, Math.round(steps)), fresh: anew, narrow: Boolean(explorer.slim),
      });
      if (!explorer.live) return false;
      if (answer.type === "stopped") {
        explorer.leave(`Python stopped (${answer.error}). The prepared pictures are shown.`);
        return false;
      }
      if (answer.type !== "drawn") {
        explorer.say(answer.error, true);
        return false;
      }
      if (forgotten !== this.forgotten) return true;
      if (anew) this.made = [{ values: wants.values, steps: null }];
      this.note(wants.values, answer.steps);
      [this.key, this.started] = [key, true];
      this.over.reached = answer.steps;
      this.over.describe();
      explorer.since = since;
      explorer.put(answer.svg, answer.alt, "training", { values: wants.values, text: explorer.wants().text });
      return true;
    }

    // What has been done so far, for "Code": with which settings it began, and how many steps it went on with which.
    note(values, reached) {
      const begun = this.made[0];
      if (begun.steps === null) begun.steps = Number(begun.values[this.over.spec.name]);
      const done = this.made.reduce((sum, each) => sum + each.steps, 0);
      const given = Object.fromEntries(this.spec.settings.map((name) => [name, values[name]]));
      const last = this.made.at(-1);
      if (reached === done) return;
      if (this.made.length > 1 && JSON.stringify(last.values) === JSON.stringify(given)) last.steps += reached - done;
      else this.made.push({ values: given, steps: reached - done });
    }

    // A control was moved: true if the training takes it, false if the explorer is to draw that setting.
    takes() {
      if (this.running) return true; // the next picture has it
      if (this.started && this.beginning() === this.key) {
        this.further(0);
        return true;
      }
      this.forget();
      return false;
    }

    forget() {
      this.started = false;
      this.forgotten++;
      this.over.reached = undefined;
      this.over.describe();
    }

    stop() {
      this.running = false;
      this.say();
    }

    reset() {
      this.stop();
      this.forget();
    }
  }

  window.ckParts.push((explorer) => {
    if (!explorer.spec.time?.training || !explorer.spec.live) return null;
    return (explorer.training = new Trainer(explorer));
  });
})();
