// Keeps an unfinished page up to date. The page is complete without this file.
// The element with `data-live` names a stream of events: `patch` [{id, html}], `done`, `reset`.
(() => {
  "use strict";
  const page = () => document.querySelector("[data-live]");
  if (!page()) return;
  const status = document.getElementById("live");
  const button = document.getElementById("pause");
  const made = document.getElementById("made");
  const parse = (html) => {
    const t = document.createElement("template");
    t.innerHTML = html;
    return t.content.firstElementChild;
  };
  let stream, timer, last = "", tries = 0, polling = false, paused = false, over = false;
  const held = new Map();

  // Touches only what differs: focus, open details and selection stay.
  function morph(old, now) {
    if (old.isEqualNode(now) || old.id === "news") return;
    for (const { name } of [...old.attributes])
      if (!now.hasAttribute(name) && !(name === "open" && old.nodeName === "DETAILS")) old.removeAttribute(name);
    for (const { name, value } of now.attributes)
      if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    let here = old.firstChild;
    for (const want of [...now.childNodes]) {
      const id = want.id;
      let same = here;
      if (id) for (same = here; same && same.id !== id; ) same = same.nextSibling;
      else if (here && here.id && want.nodeType === 1) same = null;
      if (same && same.nodeName === want.nodeName) {
        if (same !== here) old.insertBefore(same, here);
        if (want.nodeType === 1) morph(same, want);
        else if (same.data !== want.data) same.data = want.data;
        here = same.nextSibling;
      } else old.insertBefore(want.cloneNode(true), here);
    }
    while (here) {
      const next = here.nextSibling;
      here.remove();
      here = next;
    }
    if (old.dataset.t) old.since = performance.now();
  }

  const selected = (node) => {
    const s = getSelection();
    return s && !s.isCollapsed && s.containsNode(node, true);
  };
  function put(id, html) {
    const old = document.getElementById(id);
    if (!old) return;
    if (selected(old)) return void held.set(id, html);
    const now = parse(html);
    if (!now) return;
    const focus = document.activeElement;
    morph(old, now);
    if (focus && focus !== document.activeElement && focus.id) document.getElementById(focus.id)?.focus();
    tick();
  }
  document.addEventListener("selectionchange", () => {
    for (const [id, html] of [...held]) {
      const old = document.getElementById(id);
      if (!old || !selected(old)) held.delete(id), put(id, html);
    }
  });

  // The browser asks with the ETag it has: an unchanged page costs nothing.
  async function reread() {
    const answer = await fetch(location.pathname + location.search, { cache: "no-cache" });
    if (!answer.ok) throw answer.status;
    const now = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main");
    if (!now) throw 0;
    put("main", now.outerHTML);
    if (!now.dataset.live) finish();
  }

  const say = (words) => status && set(status, words);
  function close() {
    clearTimeout(timer);
    if (stream) stream.close();
    stream = null;
  }
  function finish() {
    over = true;
    close();
    page()?.removeAttribute("data-live");
    if (button) button.hidden = true;
    say("This page is final.");
  }
  function later(task) {
    close();
    const wait = polling ? 30 : Math.min(60, 2 ** tries++);
    timer = setTimeout(task, wait * 1000 * (0.5 + Math.random() / 2));
  }
  async function poll() {
    try {
      await reread();
      tries = 0;
    } catch {}
    if (!over && !paused && !document.hidden) later(poll);
  }
  function open() {
    close();
    if (over || paused || document.hidden) return;
    if (polling) return void poll();
    const url = page()?.dataset.live;
    if (!url) return;
    const seen = (url.includes("?") ? "&" : "?") + "last-event-id=" + encodeURIComponent(last);
    stream = new EventSource(last ? url + seen : url);
    stream.onopen = () => {
      tries = 0;
      if (made) made.hidden = true;
      say("Updates by itself.");
    };
    stream.addEventListener("patch", (e) => {
      last = e.lastEventId || last;
      for (const { id, html } of JSON.parse(e.data)) put(id, html);
    });
    stream.addEventListener("done", finish);
    stream.addEventListener("reset", () => {
      last = "";
      reread().catch(() => later(open));
    });
    stream.onerror = () => {
      // It was refused (too many readers): ask now and then.
      if (stream && stream.readyState === 2) polling = true;
      say("Waiting for the connection.");
      later(open);
    };
  }

  if (button) {
    button.hidden = false;
    button.addEventListener("click", () => {
      paused = !paused;
      button.textContent = paused ? "Resume updates" : "Pause updates";
      say(paused ? "Updates are paused." : "");
      if (paused) close();
      else reread().catch(() => {}).finally(open);
    });
  }
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  // Running clocks, and how long ago today's moments were.
  const set = (e, text) => e.textContent === text || (e.textContent = text);
  function tick() {
    for (const e of document.querySelectorAll("[data-t]")) {
      const s = +e.dataset.t + Math.floor((performance.now() - (e.since || 0)) / 1000);
      const two = (n) => String(n).padStart(2, "0");
      set(e, two(Math.floor(s / 3600)) + ":" + two(Math.floor(s / 60) % 60) + ":" + two(s % 60));
    }
    for (const e of document.querySelectorAll("main .ago")) {
      const m = Math.floor((Date.now() - Date.parse(e.previousElementSibling.dateTime)) / 6e4);
      if (m >= 0 && m < 1440) set(e, m < 1 ? "just now" : m < 60 ? m + " min ago" : Math.floor(m / 60) + " h ago");
    }
  }
  setInterval(() => paused || over || document.hidden || tick(), 1000);
  open();
})();
