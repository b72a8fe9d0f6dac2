// Written by tools/book_ext.py, which puts in what belongs to this build. A page is asked of the network first, so that a
// reader with a network sees the newest; without one it comes from here. What has a digest in its name never changes.
"use strict";
const BUILD = "@BUILD@";
const CURRENT = @CURRENT@; // the folders and files with a digest in their names that this build has
const ROOT = new URL("./", self.location).href;
const PAGES = "pages";
const PYTHON = "python";
const SETTINGS = "settings";
const PATIENCE = 4000; // ms to wait for a network that does not answer

const path = (url) => url.slice(ROOT.length).split("#")[0].split("?")[0];
const digested = (name) => /^_static\/(ck\/(frames\/|photos\/|pyodide-|coursekit-)|book\.\w+\.css$|fonts\/)/.test(name);
const isPython = (name) => /^_static\/ck\/(pyodide-|coursekit-)/.test(name);
const isOld = (name) => digested(name) && !name.includes("/fonts/") && !CURRENT.some((part) => name.startsWith(part));
const plain = (url) => url.split("#")[0].split("?")[0];

const keepsPython = async () => !(await (await caches.open(SETTINGS)).match(`${ROOT}no-python`));

self.addEventListener("install", () => self.skipWaiting());

self.addEventListener("activate", (event) => event.waitUntil(tidy().then(() => self.clients.claim())));

async function tidy() {
  for (const name of [PAGES, PYTHON]) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) if (isOld(path(request.url))) await cache.delete(request);
  }
}

async function put(name, response) {
  if (!response.ok || response.redirected) return;
  const python = isPython(path(name));
  if (python && !(await keepsPython())) return;
  await (await caches.open(python ? PYTHON : PAGES)).put(plain(name), response);
}

async function fromNetwork(request) {
  const response = await fetch(request);
  if (response.ok) put(request.url, response.clone()).catch(() => {}); // a full device: the page is shown all the same
  return response;
}

async function answer(request) {
  const name = path(request.url);
  const kept = await caches.match(plain(request.url), { ignoreVary: true });
  if (kept && digested(name)) return kept;
  if (!kept && request.mode !== "navigate") return fromNetwork(request);
  const late = new Promise((_, no) => setTimeout(() => no(new Error("no answer")), kept ? PATIENCE : 60000));
  try {
    return await Promise.race([fromNetwork(request), late]);
  } catch (error) {
    if (kept) return kept;
    return nothing();
  }
}

async function nothing() {
  const cache = await caches.open(PAGES);
  const pages = (await cache.keys()).map((request) => request.url).filter((url) => url.endsWith(".html"));
  const list = await Promise.all(
    pages.map(async (url) => {
      const title = (await (await cache.match(url)).text()).match(/<title>(.*?)<\/title>/s)?.[1] ?? path(url);
      return `<li><a href="${url}">${title.split(" &#8212; ")[0]}</a></li>`;
    }),
  );
  const body = `<!DOCTYPE html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Not on this device</title><body style="font: 1.1rem/1.5 system-ui; max-width: 40rem; margin: 3rem auto; padding: 0 1rem">
<h1>This page is not on this device</h1><p>There is no network, and you have not read this page before. These are here:</p>
<ul>${list.sort().join("")}</ul></body></html>`;
  return new Response(body, { status: 503, headers: { "Content-Type": "text/html; charset=utf-8" } });
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || !request.url.startsWith(ROOT) || path(request.url).startsWith("lite/")) return;
  if (request.headers.has("range") || request.url.endsWith(".zip")) return;
  event.respondWith(answer(request));
});

async function keep(names) {
  const wanted = [...new Set(names.map(plain))].filter((name) => name.startsWith(ROOT));
  for (const name of wanted) {
    if (await caches.match(name)) continue;
    try {
      await put(name, await fetch(name));
    } catch {
      return; // The network is gone, or the device is full; the next page tries again.
    }
  }
}

async function size(name) {
  const cache = await caches.open(name);
  const sizes = (await cache.matchAll()).map(async (response) => (await response.blob()).size);
  return (await Promise.all(sizes)).reduce((sum, bytes) => sum + bytes, 0);
}

async function count() {
  const pages = (await (await caches.open(PAGES)).keys()).filter(({ url }) => url.endsWith(".html")).length;
  return { build: BUILD, pages, bytes: await size(PAGES), python: await size(PYTHON), keepPython: await keepsPython() };
}

async function obey(message) {
  const settings = await caches.open(SETTINGS);
  if (message.keep) await keep(message.keep);
  if (message.python === true) await settings.delete(`${ROOT}no-python`);
  if (message.python === false) {
    await settings.put(`${ROOT}no-python`, new Response("no"));
    await caches.delete(PYTHON);
  }
  if (message.forget) await Promise.all([caches.delete(PAGES), caches.delete(PYTHON)]);
  return message.count ? count() : {};
}

self.addEventListener("message", (event) => {
  event.waitUntil(
    obey(event.data)
      .catch((error) => ({ error: String(error) }))
      .then((said) => event.ports[0]?.postMessage(said)),
  );
});
