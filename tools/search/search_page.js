// The search page: MiniSearch over the sections that tools/search_index.py found. Chapters come before sheets, these before
// other pages, and the reference last; a word may have a slip, and the words found are shown where they stand.
(() => {
  "use strict";
  const WEIGHT = { chapter: 3, sheet: 1.2, page: 1.4, reference: 0.35 };
  const KIND = { chapter: "", sheet: "exercise sheet", page: "", reference: "reference" };
  const SMALL = new Set(
    "a an and are as at be but by can did do does for from had has have how i if in into is it its me my not of on one or s so than that the their then there they this to use using was we what when where which who why will with work works would you your go goes going get gets mean means much many should make makes better happen happens".split(" "),
  );
  const SAME = { nan: ["nan", "overflow", "diverges"], blows: ["explodes", "diverges"], stuck: ["plateau", "dead"], fast: ["speed"] };

  // The stem of a plural or of a form with -ing, so that "gradients" finds "gradient".
  const stem = (word) => (word.length > 4 ? word.replace(/(?<=[^s])s$/, "").replace(/(?<=.{4})(ing|ed)$/, "") : word);
  const term = (word) => {
    const plain = word.toLowerCase().normalize("NFKD").replace(/[\u0300-\u036f]/g, "").replace(/isation/g, "ization");
    return plain.length > 1 && !SMALL.has(plain) ? stem(plain) : null;
  };

  window.courseSearch = (sections) => {
    const engine = new MiniSearch({
      idField: "at",
      fields: ["title", "page", "text"],
      storeFields: ["title", "page", "text", "kind", "at"],
      processTerm: term,
    });
    engine.addAll(sections);
    const ask = (query, combineWith, fuzzy) =>
      engine.search(query, {
        combineWith,
        fuzzy: fuzzy && ((word) => (word.length > 7 ? 2 : word.length > 3 ? 1 : false)),
        prefix: (word) => word.length > 3,
        boost: { title: 4, page: 2 },
        weights: { fuzzy: 0.25, prefix: 0.5 },
        boostDocument: (_, __, { kind }) => WEIGHT[kind],
        processTerm: (word) => {
          const own = term(word);
          return own && SAME[own] ? SAME[own].map(stem) : own;
        },
      });
    // A place that has all words counts for more than one that has some; slips are forgiven where no place has them all.
    return (query) => {
      const every = ask(query, "AND", false);
      const whole = every.length ? every : ask(query, "AND", true);
      const all = new Set(whole.map(({ at }) => at));
      const some = ask(query, "OR", !every.length).filter(({ at }) => !all.has(at));
      return [...whole.map((found) => ({ ...found, score: 2 * found.score })), ...some]
        .sort((a, b) => b.score - a.score)
        .filter(({ score }, place, found) => place < 30 && score > 0.2 * found[0].score);
    };
  };
  if (typeof document === "undefined") return;

  const element = (tag, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };

  // The words around the first place that has most of what was found, with the words marked.
  function excerpt(text, terms) {
    const found = new RegExp(`(?<![\\p{L}\\d])(${terms.map((t) => t.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")).join("|")})[\\p{L}]*`, "giu");
    const places = [...text.matchAll(found)];
    if (!places.length) return [text.slice(0, 160) + (text.length > 160 ? "…" : "")];
    const near = (place) => new Set(places.filter(({ index }) => index >= place && index < place + 150).map((m) => m[1].toLowerCase())).size;
    const best = places.reduce((a, b) => (near(b.index) > near(a.index) ? b : a)).index;
    const from = best < 50 ? 0 : text.indexOf(" ", best - 50) + 1;
    const part = text.slice(from, from + 210);
    const out = [from ? "… " : ""];
    let last = 0;
    for (const match of part.matchAll(found)) {
      out.push(part.slice(last, match.index), element("mark", { textContent: match[0] }));
      last = match.index + match[0].length;
    }
    out.push(part.slice(last), from + 210 < text.length ? " …" : "");
    return out;
  }

  function begin() {
    const input = document.querySelector(".bd-search-container input[name=q]");
    const out = document.querySelector("#search-results");
    const query = new URLSearchParams(location.search).get("q")?.trim() ?? "";
    input.value = query;
    if (!query) return;
    const results = window.courseSearch(window.courseSections)(query);
    const said = element("p", { className: "search-said" });
    said.setAttribute("role", "status");
    const close = results.length && results[0].terms.every((found) => !results[0].queryTerms.includes(found));
    said.textContent = results.length
      ? `${results.length} ${results.length === 1 ? "place" : "places"}${close ? `, for words like ${[...new Set(results[0].terms)].slice(0, 3).join(", ")}` : ""}.`
      : `Nothing was found for “${query}”. Try one word that the text would use, or look into the glossary.`;
    const list = element("ol", { className: "search" });
    for (const { at, title, page, text, kind, terms } of results) {
      const link = element("a", { href: at, textContent: title });
      const where = [title === page ? "" : page, KIND[kind]].filter(Boolean).join(", ");
      list.append(element("li", {}, link, element("span", { className: "search-where", textContent: where }), element("p", {}, ...excerpt(text, terms))));
    }
    out.replaceChildren(said, list);
  }
  document.readyState === "loading" ? document.addEventListener("DOMContentLoaded", begin) : begin();
})();
