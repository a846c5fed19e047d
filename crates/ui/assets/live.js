// Keeps an unfinished page up to date. The page is complete without this file.
// The element with `data-live` names a stream of events: `patch` [{id, html}], `done`, `reset`.
(() => {
  "use strict";
  const page = () => document.querySelector("[data-live]");
  if (!page()) return;
  const status = document.getElementById("live");
  const button = document.getElementById("pause");
  const parse = (html) => {
    const t = document.createElement("template");
    t.innerHTML = html;
    return t.content.firstElementChild;
  };
  let stream, timer, last = "", tries = 0, polling = false, paused = false, over = false;
  const held = new Map();

  // Makes `old` equal to `now` by touching only what differs: focus, open details and selection stay.
  function morph(old, now) {
    if (old.isEqualNode(now)) return;
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
  }
  document.addEventListener("selectionchange", () => {
    for (const [id, html] of [...held]) {
      const old = document.getElementById(id);
      if (!old || !selected(old)) held.delete(id), put(id, html);
    }
  });

  // Reads the page again; the browser asks with the ETag it has, so an unchanged page costs nothing.
  async function reread() {
    const answer = await fetch(location.pathname + location.search, { cache: "no-cache" });
    if (!answer.ok) throw answer.status;
    const now = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main");
    if (!now) throw 0;
    put("main", now.outerHTML);
    if (!now.dataset.live) finish();
  }

  function say(words) {
    if (status) status.textContent = words;
  }
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
    stream = new EventSource(last ? url + "?last-event-id=" + encodeURIComponent(last) : url);
    stream.onopen = () => {
      tries = 0;
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
      // A closed stream was refused (too many readers, 503): ask now and then instead.
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
  setInterval(() => {
    if (paused || over || document.hidden) return;
    for (const e of document.querySelectorAll("[data-t]")) {
      const s = +e.dataset.t + Math.floor((performance.now() - (e.since || 0)) / 1000);
      const two = (n) => String(n).padStart(2, "0");
      e.textContent = two(Math.floor(s / 3600)) + ":" + two(Math.floor(s / 60) % 60) + ":" + two(s % 60);
    }
  }, 1000);
  open();
})();
