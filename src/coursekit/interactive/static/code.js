// The call in an explorer's "Code" follows its controls. The markup comes from coursekit/interactive/code.py.
(() => {
  "use strict";

  // A value as Python writes it: one of the stops as it stands in the page, one between them as a float or an int.
  function literal(given, { values, whole, kind }, value) {
    const known = JSON.parse(given.dataset.literals)[values.indexOf(value)];
    if (known !== undefined) return known;
    if (typeof value !== "number") return JSON.stringify(value);
    return Number.isInteger(value) && !whole && kind !== "choice" ? `${value}.0` : String(value);
  }

  // What the reader's own function needs to take part: the notebook's way to say it (interactive/slots.py).
  function withYours(spec, slot, values) {
    const [module, name] = spec.address.split(":");
    const at = module.lastIndexOf(".");
    return (
      `from ${module.slice(0, at)} import ${module.slice(at + 1)} as explore\n\n` +
      `explore.${name}.with_yours(${slot.functions.join(", ")})(${values})`
    );
  }

  // A training that went on: with which settings it began, then how many steps it went on with which.
  function goneOn(root, call) {
    const { made, spec } = root.ck.training;
    const lines = made.slice(1).map(({ values, steps }) => {
      const given = Object.entries(values).map(([name, value]) => `, ${name}=${JSON.stringify(value)}`);
      return `results = experiment.${spec.name}(results, ${steps}${given.join("")})`;
    });
    call.replaceChildren(call.textContent.replace("\nplot.", `\n${[...lines, "plot."].join("\n")}`));
  }

  function renew(root, { mode, values }) {
    const call = root.querySelector(".ck-call");
    if (!call) return;
    root.ckCall ??= [...call.childNodes];
    if (root.ckCall[0] !== call.firstChild) call.replaceChildren(...root.ckCall);
    const pairs = [];
    if (mode === "training") values = root.ck.training.made[0].values;
    for (const given of call.querySelectorAll(".ck-given")) {
      const control = root.ck.spec.controls.find((each) => each.name === given.dataset.control);
      given.textContent = literal(given, control, values[control.name]);
      pairs.push([control.name, given.textContent]);
    }
    if (mode === "training") return goneOn(root, call);
    const slot = mode === "yours" && root.ck.mine;
    if (!slot) return;
    const settings = pairs.filter(([name]) => name !== slot.control).map((pair) => pair.join("=")).join(", ");
    call.replaceChildren(withYours(root.ck.spec, slot, settings));
  }

  document.addEventListener("ck:shown", (event) => event.target.ck && renew(event.target, event.detail));
})();
