// Pages that stay true. A page asks every few seconds what of it has changed (#pulse, gatekeeper/views/live.py);
// values go as soon as they are not vouched for: when the time of their access is over, when the gate has closed, and
// when the server has not answered for a while. Nothing is stored in the browser.
(() => {
  "use strict";
  const LOST_AFTER = 15_000;
  const SOON = 300;
  const SWAPPED = 'hx-swap-oob="true"';
  const HEARD = [200, 204, 403]; // a closed gate is an answer; whatever else there is, is none

  // Milliseconds, as Date.now() has them; a clock that is set back takes nothing from what has passed.
  const born = Date.now() - performance.now();
  function present() { return Math.max(Date.now(), born + performance.now()); }

  function pulse() { return document.getElementById("pulse"); }
  const asking = Boolean(pulse());
  function ask() { pulse()?.dispatchEvent(new Event("ask")); }
  function say(words) {
    const live = document.getElementById("live");
    if (live && words && live.textContent !== words) live.textContent = words;
  }
  document.addEventListener("say", (event) => say(event.detail));

  // The address of this page by GET: reloading the answer of a POST would post again.
  function here() {
    return document.querySelector("[form=preferences][name=next]")?.value || location.pathname;
  }

  // What was revealed is values.js' to hide.
  function hide(within = document) { within.dispatchEvent(new CustomEvent("hide-values", { bubbles: true })); }
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return undefined;
    if (present() - heard > LOST_AFTER) hide(); // asleep meanwhile: nobody has vouched for them
    heard = present(); // a page out of sight is asked for seldom
    return ask();
  });
  addEventListener("online", ask);
  // A page out of the back-forward cache may show what has since been closed.
  addEventListener("pageshow", (event) => { if (event.persisted) location.replace(here()); });

  // What is left, to the second and by the server's clock; at nothing the values go, and the server is asked.
  const ahead = new WeakMap(); // by how much the server's clock is ahead, as of when the clock came
  function two(number) { return String(number).padStart(2, "0"); }
  function wind() {
    for (const clock of document.querySelectorAll(".countdown[data-now]")) {
      if (!ahead.has(clock)) ahead.set(clock, Number(clock.dataset.now) * 1000 - present());
    }
  }
  function tick() {
    for (const clock of document.querySelectorAll(".countdown[data-ends]")) {
      const now = Math.floor((present() + (ahead.get(clock) ?? 0)) / 1000);
      const left = Math.max(0, Number(clock.dataset.ends) - now);
      const hours = Math.floor(left / 3600);
      const minutes = Math.floor(left / 60) % 60;
      clock.textContent = hours ? `${hours}:${two(minutes)}:${two(left % 60)}` : `${minutes}:${two(left % 60)}`;
      clock.classList.toggle("soon", left <= SOON);
      if (left === SOON) say(document.body.dataset.soon);
      const note = clock.closest(".stuck")?.querySelector("[data-ending]");
      if (note) note.hidden = left > SOON || left === 0;
      if (left === 0) over(clock);
    }
    if (asking && present() - heard > LOST_AFTER) lost(true);
  }
  function over(clock) {
    clock.removeAttribute("data-ends");
    clock.closest(".gate")?.classList.add("unsure");
    for (const section of document.querySelectorAll(`[data-grant="${CSS.escape(clock.dataset.of)}"]`)) hide(section);
    ask();
  }
  wind();
  setInterval(tick, 1000);

  // What could not be checked has failed
  let heard = present();
  function lost(is) {
    const note = document.getElementById("lost");
    document.documentElement.classList.toggle("unsure", is);
    if (is) hide();
    if (!note || note.hidden === !is) return;
    note.hidden = !is;
    if (is) say(note.textContent);
    else document.getElementById("unsent").hidden = true;
  }
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.target.id !== "pulse" || !HEARD.includes(event.detail.xhr.status)) return;
    heard = present();
    lost(false);
  });
  // What is sent to a server that does not answer would be given up for the browser's own page.
  function hold(event) {
    const note = document.getElementById("unsent");
    if (!note || document.getElementById("lost").hidden) return;
    event.preventDefault();
    note.hidden = false;
    note.focus();
    ask();
  }
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method === "post" && form.closest("main")) hold(event);
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target.matches("form[hx-post]")) hold(event);
  });

  // The session ended otherwise than by idleness: the answer leads to signing in. Where something was typed the
  // page stays, without values, and app.js says what to do.
  function stays() {
    hide();
    if (!isUnsent()) return false;
    document.dispatchEvent(new Event("session-ended"));
    return true;
  }
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    if (event.detail.xhr.getResponseHeader("HX-Redirect") && stays()) event.preventDefault();
  });
  // An answer from elsewhere is the sign-in page: go there whole.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const asked = event.target.getAttribute("hx-get");
    const answered = event.detail.xhr.responseURL;
    if (asked && answered && new URL(answered).pathname !== new URL(asked, location.href).pathname) {
      event.detail.shouldSwap = false;
      if (!stays()) location.replace(here());
    } else if (event.target.id === "pulse" && event.detail.shouldSwap) {
      const page = event.detail.serverResponse;
      if (page.includes(SWAPPED)) return take(event.detail);
      // Another page, a refusal say, is gone to; an answer without a page leaves this one as it is.
      event.detail.shouldSwap = false;
      if (page) location.replace(here());
    }
    return undefined;
  });
  // The language was changed in another tab: the page is reloaded, in one language. Where something is typed
  // it stays, and what is swapped in says which language it is in.
  function take(answer) {
    const lang = answer.serverResponse.match(/<html lang="([a-z-]+)"/)?.[1];
    const other = Boolean(lang) && lang !== document.documentElement.lang;
    if (other && !isUnsent()) {
      answer.shouldSwap = false;
      return location.replace(here());
    }
    if (other) {
      answer.serverResponse = answer.serverResponse.replaceAll(SWAPPED, `${SWAPPED} lang="${lang}"`);
      document.getElementById("live").lang = lang;
    }
    return keep();
  }
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.target.id === "pulse") restore();
  });

  // What somebody was at when a part of the page was replaced: typed, chosen, unfolded, in focus.
  const typed = new Map();
  let unfolded = new Set();
  let focused = "";
  function name(part) {
    const home = part.id || part.parentElement.closest("[id]")?.id;
    const aim = part.form?.getAttribute("action") ?? part.getAttribute("href");
    const choice = part.matches("[type=radio], [type=checkbox], button") ? part.value : "";
    const words = part.matches("details") ? part.querySelector("summary")?.textContent.trim() : "";
    const button = part.matches("a, button, summary") ? part.textContent.trim() : "";
    return [part.tagName, home, aim, part.name, choice, words, button].join("\n");
  }
  const FIELDS = "main input:not([type=hidden]), main textarea, main select";
  function isChoice(part) { return part.matches("[type=radio], [type=checkbox]"); }
  function isChanged(part) {
    if (part.matches("select")) {
      const options = Array.from(part.options);
      // A list that names no choice begins with its first.
      const named = part.multiple || options.some((one) => one.defaultSelected);
      return named ? options.some((one) => one.selected !== one.defaultSelected) : part.selectedIndex > 0;
    }
    return isChoice(part) ? part.checked !== part.defaultChecked : part.value !== part.defaultValue;
  }
  // Changed by hand, or brought back by the server together with what is wrong in it.
  function isUnsent() {
    const fields = Array.from(document.querySelectorAll(FIELDS));
    const back = Boolean(document.querySelector("main .errors"));
    return fields.some((part) => isChanged(part) || (back && !isChoice(part) && !part.matches("select") && part.value));
  }
  function keep() {
    for (const part of document.querySelectorAll(FIELDS)) {
      if (isChanged(part)) typed.set(name(part), isChoice(part) ? part.checked : part.value);
      else typed.delete(name(part));
    }
    unfolded = new Set(Array.from(document.querySelectorAll(".body details[open]"), name));
    const active = document.activeElement;
    focused = active?.closest(".body, .rail") ? name(active) : "";
  }
  function restore() {
    wind();
    for (const part of document.querySelectorAll(FIELDS)) {
      if (!typed.has(name(part))) continue;
      if (isChoice(part)) part.checked = typed.get(name(part));
      else part.value = typed.get(name(part));
    }
    for (const part of document.querySelectorAll(".body details")) if (unfolded.has(name(part))) part.open = true;
    if (focused && document.activeElement === document.body) {
      const same = Array.from(document.querySelectorAll(`.body ${focused.split("\n")[0]}, .rail a`));
      const again = same.find((part) => name(part) === focused) ?? document.getElementById("main");
      again.focus({ preventScroll: true });
    }
    say(document.querySelector("[data-announce]")?.dataset.announce);
  }

  // A change of language or theme reloads the page: what was typed is not given up without a word.
  const leave = document.getElementById("leave");
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!leave || form.id !== "preferences" || leave.returnValue || !isUnsent()) return;
    event.preventDefault();
    const again = () => { if (leave.returnValue) form.requestSubmit(event.submitter); };
    leave.addEventListener("close", again, { once: true });
    leave.showModal();
  });
})();
