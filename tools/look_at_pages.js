// For look_at_pages.py: the bodies of two asynchronous functions, with a line of dashes between them.
// Uncover what predictions hide, and have every explorer show its picture for this width.
document.querySelectorAll(".ck-covered, .ck-covering").forEach((e) => e.classList.remove("ck-covered", "ck-covering"));
document.querySelectorAll("details").forEach((e) => (e.open = true));
const shows = [...document.querySelectorAll(".ck-explorer")].map((root) => root.ck?.show?.());
await Promise.race([Promise.all(shows), new Promise((go) => setTimeout(go, 15000))]);
await new Promise((go) => setTimeout(go, 600));
// ----------------------------------------------------------------
// What is wrong with the page.
const found = [];
const say = (what, where, more = "") => found.push(`${what}: ${where} ${more}`.trim());
const near = (e) => (e.closest("[id]")?.id ?? "") + " " + JSON.stringify(e.textContent.trim().slice(0, 40));
const seen = (e) => e.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && e.getClientRects().length;
const page = document.documentElement;
if (page.scrollWidth > innerWidth + 1) {
  const wide = [...document.querySelectorAll(".bd-article *")].find((e) => e.getBoundingClientRect().right > innerWidth + 1);
  say("wider than the window", `${page.scrollWidth} > ${innerWidth}`, wide ? `${wide.tagName}.${wide.className} ${near(wide)}` : "");
}
for (const image of document.images) if (image.complete && !image.naturalWidth) say("missing picture", image.src);
const scrolls = (e) => /auto|scroll/.test(getComputedStyle(e).overflowX);
for (const e of document.querySelectorAll(".bd-article *, .bd-sidebar-primary *")) {
  if (!seen(e) || e.closest("svg, math, .cm-editor") || !e.childElementCount && !e.textContent.trim()) continue;
  const style = getComputedStyle(e);
  const hides = /hidden|clip/.test(style.overflowX) && e.clientWidth > 2;
  if (hides && e.scrollWidth > e.clientWidth + 2 && !/absolute|fixed/.test(style.position)) say("cut", e.className, near(e));
}
const within = (svg) => { for (let e = svg.parentElement; e; e = e.parentElement) if (scrolls(e)) return e; return null; };
for (const svg of document.querySelectorAll(".ck-picture > svg, .ck-figure > svg")) {
  if (!seen(svg) || !svg.getBoundingClientRect().width) continue;
  const box = svg.getBoundingClientRect();
  const scale = box.width / svg.viewBox.baseVal.width;
  const texts = [...svg.querySelectorAll("text")].filter((e) => e.textContent.trim() && !e.closest("defs"));
  const boxes = texts.map((e) => [e, e.getBoundingClientRect()]);
  const sizes = texts.map((e) => scale * parseFloat(getComputedStyle(e.querySelector("tspan") ?? e).fontSize));
  const least = Math.min(...texts.map((e, k) => (e.querySelector("tspan") ? 99 : sizes[k])));
  if (innerWidth < 500 && least < 10.95) say("small label", least.toFixed(1), near(svg));
  if (innerWidth < 500 && within(svg) && within(svg).scrollWidth > within(svg).clientWidth + 2) say("scrolls", near(svg));
  for (let i = 0; i < boxes.length; i++) {
    const [e, a] = boxes[i];
    const room = within(svg) && within(svg).scrollWidth > within(svg).clientWidth + 2 ? null : innerWidth;
    if (room && (a.right > room + 1 || a.left < -1)) say("label outside", JSON.stringify(e.textContent), near(svg));
    for (let j = i + 1; j < boxes.length; j++) {
      const b = boxes[j][1], gap = 2.5;
      if (a.left + gap < b.right - gap && b.left + gap < a.right - gap && a.top + gap < b.bottom - gap && b.top + gap < a.bottom - gap)
        if (!/rotate\((?!-?90|-?0)/.test(e.getAttribute("transform") ?? "")) say("labels touch", JSON.stringify([e.textContent, boxes[j][0].textContent]), near(svg));
    }
  }
}
return found;
