// What this browser remembers of a reader (localStorage): values as JSON, by names that begin with "coursekit:". Nothing
// is sent anywhere. It is loaded before every script that asks it. Where the storage is blocked or full, `get` gives
// null and `set` false: the page works, it only forgets.
(() => {
  "use strict";
  const PREFIX = "coursekit:";
  window.ckMemory = {
    PREFIX,
    get(name) {
      try {
        return JSON.parse(localStorage.getItem(PREFIX + name));
      } catch {
        return null;
      }
    },
    // null forgets the name; whether the browser did what it was told.
    set(name, value) {
      try {
        if (value === null) localStorage.removeItem(PREFIX + name);
        else localStorage.setItem(PREFIX + name, JSON.stringify(value));
        return true;
      } catch {
        return false;
      }
    },
    // The names of what is kept, or null where the browser does not let the page look.
    names() {
      try {
        const keys = Object.keys(localStorage).filter((key) => key.startsWith(PREFIX));
        return keys.map((key) => key.slice(PREFIX.length));
      } catch {
        return null;
      }
    },
  };
})();
