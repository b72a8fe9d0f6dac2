/* Runs before every other script of a page. Where the browser refuses its storage, the theme's choice of colours and the
   search would stop with an error: their keys then last as long as the page. What the course keeps (coursekit:...) is
   refused as before, so that its own scripts know, and the reader is told once. */
(() => {
  const own = (key) => String(key).startsWith("coursekit:");
  const tell = () => {
    const show = () => {
      if (document.querySelector(".ck-forgets")) return;
      const line = document.createElement("p");
      line.className = "ck-forgets";
      line.setAttribute("role", "status");
      document.body.append(line);
      line.textContent =
        "This browser keeps nothing for this page: its storage is full or blocked. Your answers last until you leave.";
    };
    document.body ? show() : addEventListener("DOMContentLoaded", show);
  };
  try {
    localStorage.getItem("coursekit:");
    const { getItem, setItem } = Storage.prototype;
    const kept = new Map(); // what a full storage did not take
    Storage.prototype.setItem = function (key, value) {
      try {
        setItem.call(this, key, value);
        kept.delete(String(key));
      } catch (error) {
        if (own(key)) {
          tell();
          throw error;
        }
        kept.set(String(key), String(value));
      }
    };
    Storage.prototype.getItem = function (key) {
      return kept.get(String(key)) ?? getItem.call(this, key);
    };
  } catch (refused) {
    const kept = new Map();
    const refuse = () => {
      throw refused;
    };
    const methods = {
      getItem: (key) => (own(key) ? refuse() : (kept.get(String(key)) ?? null)),
      setItem: (key, value) => (own(key) ? (tell(), refuse()) : void kept.set(String(key), String(value))),
      removeItem: (key) => (own(key) ? refuse() : void kept.delete(String(key))),
      clear: () => kept.clear(),
      key: (place) => [...kept.keys()][place] ?? null,
      length: 0,
    };
    const value = new Proxy(methods, { ownKeys: refuse });
    try {
      Object.defineProperty(window, "localStorage", { value, configurable: true });
    } catch {
      // Then the theme complains, as it did.
    }
  }
})();
