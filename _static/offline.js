// Keeps what is read on this device: sw.js does it; here a page says what belongs to it. See "Without a network" on the first page.
(() => {
  "use strict";
  if (!("serviceWorker" in navigator) || !location.protocol.startsWith("http")) return;
  const ROOT = new URL(document.documentElement.dataset.content_root || "./", location.href);
  const quiet = navigator.connection?.saveData;

  // The files that a page of the book needs: its styles, scripts, pictures, and all packs of its explorers.
  function needs(page, address) {
    const found = [address];
    const add = (name) => name && !name.startsWith("data:") && found.push(new URL(name, address).href);
    page.querySelectorAll("link[rel=stylesheet], link[rel=icon]").forEach((e) => add(e.getAttribute("href")));
    page.querySelectorAll("script[src], article img[src]").forEach((e) => add(e.getAttribute("src")));
    page.querySelectorAll("article svg image[href]").forEach((e) => add(e.getAttribute("href")));
    for (const e of page.querySelectorAll(".ck-explorer script[type='application/json']")) {
      const { frames } = JSON.parse(e.textContent);
      const narrow = frames?.narrow && !e.closest(".ck-clinic"); // as explorer.js does
      const slim = narrow && matchMedia("screen and (max-width: 40rem)").matches ? "n" : "";
      for (let pack = 0; pack < (frames?.packs ?? 0); pack++)
        found.push(new URL(`_static/ck/frames/${frames.folder}/${slim}${pack}.js`, ROOT).href);
    }
    return found.filter((name) => new URL(name).origin === location.origin);
  }

  const ask = async (message) => {
    const { active } = await navigator.serviceWorker.ready;
    return new Promise((done) => {
      const channel = new MessageChannel();
      channel.port1.onmessage = ({ data }) => done(data);
      active.postMessage(message, [channel.port2]);
    });
  };

  async function keep() {
    await navigator.serviceWorker.register(new URL("sw.js", ROOT), { scope: ROOT.pathname });
    const here = location.href.split("#")[0].split("?")[0];
    // What a page names itself, and what its styles have asked for: fonts.
    const loaded = performance.getEntriesByType("resource").map((entry) => entry.name);
    const fonts = loaded.filter((name) => name.startsWith(ROOT.href) && /\.woff2?$/.test(name));
    document.querySelectorAll(".ck-offline").forEach(table);
    await ask({ keep: [...needs(document, here), ...fonts] });
    const next = document.querySelector("a.right-next")?.href;
    if (quiet || !next || !/\/(chapters|exercises)\//.test(next)) return;
    const page = new DOMParser().parseFromString(await (await fetch(next)).text(), "text/html");
    await ask({ keep: needs(page, next) });
  }

  // The first page says what is kept, and has the switch for Python.
  async function table(root) {
    const mega = (bytes) => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
    const say = (text) => (root.querySelector("[role=status]").textContent = text);
    const make = (tag, properties) => Object.assign(document.createElement(tag), properties);
    const refresh = async () => {
      const { pages, bytes, python, keepPython } = await ask({ count: true });
      box.checked = keepPython;
      say(
        `On this device: ${pages} ${pages === 1 ? "page" : "pages"}, ${mega(bytes)}` +
          (python ? `, and Python, ${mega(python)}.` : "."),
      );
    };
    const box = make("input", { type: "checkbox", id: "keep-python" });
    const label = make("label", { htmlFor: "keep-python", textContent: `Keep Python too, once it was loaded (${root.dataset.python} MB)` });
    const forget = make("button", { type: "button", textContent: "Remove the copies" });
    box.addEventListener("change", () => ask({ python: box.checked }).then(refresh));
    forget.addEventListener("click", () => ask({ forget: true }).then(refresh));
    const line = make("p", {});
    line.append(box, " ", label);
    root.prepend(line);
    root.append(forget);
    addEventListener("kept", refresh);
    await refresh();
  }

  // Not before the reader does something: what is only looked at costs nothing more.
  const events = ["scroll", "pointerdown", "keydown"];
  const begin = () => {
    events.forEach((name) => removeEventListener(name, begin));
    keep()
      .then(() => dispatchEvent(new Event("kept")))
      .catch(() => {}); // Refused, as in a private window: the page works as long as there is a network.
  };
  events.forEach((name) => addEventListener(name, begin, { passive: true }));
})();
