// What was revealed stands in the page for half a minute, or for two when somebody keeps it; then it leaves, as it
// does on Esc and whenever live.js no longer vouches for it. A tab out of sight covers it. A reveal swaps in the
// field alone; without this script it is answered with the whole page. Nothing is stored in the browser.
(() => {
  "use strict";
  const VALUES = "[data-revealed], [data-remove]";
  const FORM = "form[data-reveal]";
  const TICK = 500;

  // Milliseconds, as Date.now() has them; a clock that is set back takes nothing from what has passed.
  const born = Date.now() - performance.now();
  function present() { return Math.max(Date.now(), born + performance.now()); }
  function say(words) { document.dispatchEvent(new CustomEvent("say", { detail: words })); }
  function words() { return document.getElementById("data")?.dataset ?? {}; }
  function label(value) {
    const name = value.previousElementSibling ?? value.closest("section")?.querySelector("h3");
    return name?.textContent.trim() ?? "";
  }
  function toggle(value) { return value.nextElementSibling?.querySelector("[data-toggle]"); }

  // Until when each is shown, and from how long.
  const times = new WeakMap();
  function show(value, seconds) { times.set(value, { until: present() + seconds * 1000, whole: seconds * 1000 }); }
  function begin() {
    for (const value of document.querySelectorAll(VALUES)) {
      if (!times.has(value)) show(value, Number(value.dataset.revealed ?? value.dataset.remove));
    }
    tick();
  }
  function tick() {
    const over = [];
    for (const value of document.querySelectorAll(VALUES)) {
      const { until, whole } = times.get(value) ?? { until: 0, whole: 1 };
      const left = until - present();
      if (left <= 0) over.push(value);
      else draw(value.querySelector(".ring"), left, whole);
    }
    take(over);
  }
  function draw(ring, left, whole) {
    if (!ring) return;
    const seconds = Math.ceil(left / 1000);
    const text = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    ring.style.setProperty("--left", String(left / whole));
    if (ring.lastElementChild.textContent !== text) ring.lastElementChild.textContent = text;
  }

  function take(values) {
    if (!values.length) return;
    const labels = values.map(label);
    for (const value of values) {
      const again = value.closest("section")?.querySelector("[data-again]");
      if (again) again.hidden = false;
      const next = value.contains(document.activeElement) ? toggle(value) : null;
      if (value.matches("[data-remove]")) value.remove();
      else for (const part of value.querySelectorAll(".revealed, .ring, [data-keep]")) part.remove();
      value.removeAttribute("data-revealed");
      next?.focus();
    }
    say(`${labels.join(", ")}: ${words().hid}`);
  }
  function hide(within = document) { take(Array.from(within.querySelectorAll(VALUES))); }

  document.addEventListener("hide-values", (event) => hide(event.target));
  addEventListener("pagehide", () => hide());
  addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
  document.addEventListener("visibilitychange", () => {
    tick();
    document.documentElement.classList.toggle("covered", document.hidden);
  });
  document.addEventListener("click", (event) => {
    const keep = event.target.closest("[data-keep]");
    const value = keep ? keep.parentElement : event.target.closest("[data-toggle]")?.closest("dd").previousElementSibling;
    if (!value?.matches("[data-revealed]")) return;
    event.preventDefault();
    if (!keep) {
      // The second click of a double click was meant for the button as it was.
      if (event.detail < 2) take([value]);
      return;
    }
    show(value, Number(keep.dataset.keep));
    say(`${label(value)}: ${keep.dataset.done}`);
    toggle(value)?.focus();
    keep.remove();
    tick();
  });
  begin();
  setInterval(tick, TICK);

  // In place
  function isPart(xhr) { return xhr.responseText.includes("hx-swap-oob="); }
  function leadsOn(xhr) { return ["HX-Redirect", "HX-Trigger"].some((name) => xhr.getResponseHeader(name)); }
  // htmx knows the button that was clicked; a form may be sent by a script as well.
  document.addEventListener("htmx:configRequest", (event) => {
    const pressed = event.detail.triggeringEvent?.submitter;
    if (pressed?.name && event.target.matches(FORM)) event.detail.parameters[pressed.name] = pressed.value;
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (!event.target.matches(FORM)) return;
    const { xhr } = event.detail;
    // What is no part of this page, the sign-in page say, is not put into it.
    event.detail.shouldSwap = isPart(xhr);
    event.detail.isError = false;
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const form = event.target;
    if (!form.matches(FORM)) return;
    const { xhr } = event.detail;
    const slot = form.closest("section").querySelector("[data-problem]");
    if (xhr.status && isPart(xhr)) {
      if (xhr.status === 200) seen();
      begin();
      say(slot?.dataset.said);
      if (xhr.status !== 200) document.getElementById("pulse")?.dispatchEvent(new Event("ask"));
    } else if (xhr.status && new URL(xhr.responseURL).pathname !== new URL(form.action).pathname) {
      location.replace(document.querySelector("[form=preferences][name=next]")?.value || location.pathname);
    } else if (!leadsOn(xhr) && slot) {
      note(slot, "error", words().failed);
    }
  });
  function seen() {
    const views = document.querySelector("[data-views]");
    if (views) views.textContent = String(Number(views.textContent) + 1);
  }
  function note(slot, kind, text) {
    const said = document.createElement("p");
    said.className = `note ${kind}`;
    said.textContent = text;
    slot.replaceChildren(said);
    say(text);
  }

  // To the clipboard, and nowhere else: the value never stands in the page.
  const copying = new WeakSet();
  async function fetched(button) {
    const body = new FormData(button.form);
    body.set(button.name, button.value);
    const headers = { "HX-Request": "true", "HX-Current-URL": location.href };
    const answer = await fetch(button.form.getAttribute("hx-post"), { method: "POST", body: new URLSearchParams(body), headers });
    const next = answer.headers.get("HX-Redirect");
    if (next) location.assign(next);
    if (answer.headers.get("HX-Trigger")) document.dispatchEvent(new Event("session-locked"));
    const said = answer.headers.get("Content-Type")?.startsWith("application/json") ? await answer.json() : {};
    if ("text" in said) {
      seen();
      return said.text;
    }
    document.getElementById("pulse")?.dispatchEvent(new Event("ask"));
    throw new Error(said.why ?? words().failed);
  }
  async function copy(button) {
    if (copying.has(button)) return;
    copying.add(button);
    const slot = button.closest("section").querySelector("[data-problem]");
    try {
      // Asked for at once, while the browser still knows that somebody pressed a button.
      const text = fetched(button);
      const item = new ClipboardItem({ "text/plain": text.then((one) => new Blob([one], { type: "text/plain" })) });
      const taken = navigator.clipboard.write([item]).then(() => true, () => false);
      await text;
      if (await taken) note(slot, "success", `${label(button.closest("dd").previousElementSibling)}. ${words().copied}`);
      else note(slot, "error", words().uncopied);
    } catch (error) {
      note(slot, "error", error instanceof TypeError ? words().failed : error.message);
    } finally {
      copying.delete(button);
    }
  }
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy-value]");
    if (button && document.getElementById("lost")?.hidden !== false) copy(button);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "c" || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    event.target.closest?.(FORM)?.querySelector("[data-copy-value]")?.click();
  });
})();
