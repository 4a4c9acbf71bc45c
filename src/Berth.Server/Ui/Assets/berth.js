// What makes the pages quick where there are scripts. Nothing depends on it: every link, form and dialog works without.
(() => {
  "use strict";
  const root = document.documentElement;
  root.classList.add("js");
  const script = document.currentScript && document.currentScript.src;
  let current = null;
  let isSending = false;

  // Following links and sending forms without loading the frame, style and script again.
  async function go(url, options = {}, isNew = true) {
    // What was sent is not sent twice: the server may have done it already.
    if (isSending && options.method === "POST") return;
    if (current) current.abort();
    isSending = options.method === "POST";
    const mine = current = new AbortController();
    const place = scrollY;
    const bar = document.getElementById("progress") || document.body.appendChild(Object.assign(document.createElement("div"), { id: "progress" }));
    const late = setTimeout(() => bar.classList.add("busy"), 120);
    try {
      const response = await fetch(url, { ...options, headers: { Accept: "text/html" }, signal: mine.signal });
      if (!(response.headers.get("content-type") || "").startsWith("text/html") || new URL(response.url).origin !== location.origin) return location.assign(response.url);
      const next = new DOMParser().parseFromString(await response.text(), "text/html");
      const loaded = next.querySelector("script[src]");
      // Another version of the server, or a page that is not ours: begin afresh.
      if (!loaded || new URL(loaded.getAttribute("src"), location.href).href !== script) return location.assign(response.url);
      if (isNew) history.replaceState({ y: scrollY }, "");
      const target = new URL(response.url);
      target.hash = new URL(url, location.href).hash;
      if (isNew) history[target.href === location.href || options.method === "POST" && !response.redirected ? "replaceState" : "pushState"]({ y: 0 }, "", target);
      document.title = next.title;
      root.lang = next.documentElement.lang;
      root.dataset.theme = next.documentElement.dataset.theme;
      document.body.replaceWith(document.adoptNode(next.body));
      ready();
      const focus = document.querySelector("[autofocus]") || document.querySelector("h1");
      const stays = options.keep && !response.redirected;
      const anchor = target.hash && document.getElementById(target.hash.slice(1));
      if (anchor) anchor.scrollIntoView(); else scrollTo(0, stays ? place : isNew ? 0 : (history.state || {}).y || 0);
      if (focus) focus.focus({ preventScroll: !(stays && focus.autofocus) });
    } catch (problem) {
      if (problem.name === "AbortError") return;
      if (options.method === "POST") location.reload(); else location.assign(url);
    } finally {
      if (current === mine) isSending = false;
      clearTimeout(late);
      bar.classList.remove("busy");
    }
  }

  const isOurs = url => url.origin === location.origin && !url.pathname.includes("/api/") && !url.pathname.includes("/c/oidc/");

  addEventListener("click", event => {
    const target = event.target instanceof Element ? event.target : null;
    if (!target) return;
    for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(target)) menu.open = false;
    const copy = target.closest("[data-copy]");
    if (copy) return void copied(copy);
    const dismissed = target.closest("[data-dismiss]");
    if (dismissed) return dismissed.parentElement.remove();
    const invoker = target.closest("[commandfor]");
    if (invoker && !("command" in HTMLButtonElement.prototype)) {
      const dialog = document.getElementById(invoker.getAttribute("commandfor"));
      if (dialog) invoker.getAttribute("command") === "close" ? dialog.close() : dialog.showModal();
      return;
    }
    if (target.matches("[data-all]")) {
      for (const box of document.querySelectorAll(`input[type=checkbox][name="${target.dataset.all}"]`)) box.checked = target.checked;
      return;
    }
    if (target instanceof HTMLDialogElement) return target.close();
    const link = target.closest("a[href]");
    if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || link.target || link.download || "plain" in link.dataset) return;
    const url = new URL(link.href);
    if (!isOurs(url) || url.hash && url.pathname + url.search === location.pathname + location.search) return;
    event.preventDefault();
    go(url.href);
  });

  addEventListener("submit", event => {
    const form = event.target;
    const method = form.getAttribute("method");
    if (event.defaultPrevented || "plain" in form.dataset || method === "dialog") return;
    const data = new FormData(form, event.submitter);
    // A field named action would stand in the way of the property.
    const url = new URL(form.getAttribute("action") || "", location.href);
    if (!isOurs(url)) return;
    event.preventDefault();
    if (method !== "post") {
      url.search = new URLSearchParams([...data].filter(([, value]) => value !== "")).toString();
      go(url.href);
    } else {
      go(url.href, { method: "POST", body: new URLSearchParams(data), keep: "keep" in form.dataset });
    }
  });

  addEventListener("popstate", () => go(location.href, {}, false));

  addEventListener("keydown", event => {
    const target = event.target;
    if (event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey && !target.closest("input, textarea, select, dialog")) {
      const search = document.getElementById("site-search");
      if (search) { event.preventDefault(); search.focus(); search.select(); }
    }
    if (event.key === "Escape") for (const menu of document.querySelectorAll("details.menu[open]")) menu.open = false;
  });

  async function copied(button) {
    const text = button.dataset.copy;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Without HTTPS there is no clipboard to write to: the old way.
      const area = Object.assign(document.createElement("textarea"), { value: text });
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    button.classList.add("done");
    tell(button.dataset.copied);
    setTimeout(() => button.classList.remove("done"), 1500);
  }

  function tell(text) {
    const box = document.querySelector(".toasts");
    const toast = Object.assign(document.createElement("p"), { className: "toast", textContent: text });
    box.append(toast);
    setTimeout(() => toast.remove(), 6000);
  }

  function ready() {
    // A form that was refused comes with its dialog open, for those without scripts: here it becomes modal.
    const open = document.querySelector("dialog[open]");
    if (open) { open.close(); open.showModal(); }
    // Where the row of tabs is wider than the window, the one that is open is in sight.
    const tab = document.querySelector(".tabs [aria-current]");
    if (tab) tab.parentElement.scrollLeft = tab.offsetLeft - tab.parentElement.offsetLeft - 40;
    watch();
  }

  // How far work is that runs, as the server tells it; when it ends, the page once more.
  let live = null;
  function watch() {
    if (live) live.close();
    live = null;
    const box = document.querySelector("[data-live]");
    if (!box) return;
    const mine = live = new EventSource(box.dataset.live);
    mine.onmessage = event => {
      for (const job of JSON.parse(event.data).jobs) for (const place of box.querySelectorAll(`[data-job="${job.id}"]`)) {
        const badge = place.querySelector(".badge"), bar = place.querySelector("progress"), text = place.querySelector(".job-text");
        const word = place.dataset["word" + job.status];
        if (word && badge.textContent !== word) badge.textContent = word;
        if (!bar) continue;
        bar.hidden = job.status !== "Running";
        if (job.percent === undefined) bar.removeAttribute("value"); else bar.value = job.percent;
        text.textContent = job.is_ended ? "" : job.text || "";
      }
    };
    mine.addEventListener("end", () => {
      mine.close();
      // Not under the hands of somebody who is typing.
      if (live === mine && !document.activeElement.closest("input, textarea, select, dialog")) go(location.href, { keep: true }, false);
    });
  }

  if (document.readyState === "loading") addEventListener("DOMContentLoaded", ready); else ready();
})();
