// A little help on top of pages that work without it. Nothing is stored in the browser.
(() => {
  "use strict";
  const SAVED_AFTER = 1500;

  // htmx notes each address for a history that is switched off here.
  sessionStorage.removeItem("htmx-current-path-for-history");

  // The address of this page by GET: reloading the answer of a POST would post again.
  function here() {
    return document.querySelector("[form=preferences][name=next]")?.value || location.pathname;
  }

  function tell(what, words) { document.dispatchEvent(new CustomEvent(what, { detail: words })); }

  // A page that answered a form has the address of what it shows: loading it again does nothing twice.
  // What could not be done stays as it is, because it keeps what was typed.
  const answered = performance.getEntriesByType("navigation")[0]?.responseStatus;
  if ("posted" in document.body.dataset && (!answered || answered === 200)) {
    history.replaceState(null, "", here() + location.hash);
  }

  // The idle end. Two minutes before it the page asks whether anybody is there; the server knows what is
  // left, for another tab may have been busy. A page in which something was typed is never left by itself:
  // what is sent from it waits on the page that unlocks.
  const WARN = 120;
  const AGAIN = 10;
  const idle = document.getElementById("idle");
  let timer = 0;
  let typed = false;
  let said = "";
  document.addEventListener("input", () => { typed = true; });
  async function secondsLeft(address, options) {
    try {
      const answer = await fetch(address, { redirect: "manual", ...options });
      if (answer.status === 409 || answer.status >= 500) return null; // the key was renewed, the database away
      return answer.ok ? (await answer.json()).left : 0;
    } catch {
      return null; // no network: nothing is known
    }
  }
  function warn(when) {
    for (const part of idle.querySelectorAll("[data-when]")) part.hidden = !part.dataset.when.split(" ").includes(when);
    if (!idle.open) idle.showModal();
  }
  // Said once: whoever went back to what they typed is not stopped in it every few seconds.
  function warnOnce(when) {
    if (said !== when) warn(when);
    said = when;
  }
  function lock() {
    tell("hide-values");
    if (!typed || !idle) location.replace(here());
    else if (said !== "ended") warnOnce("locked");
  }
  function watch(left) {
    clearTimeout(timer);
    if (left === 0) return lock();
    if (left !== null) said = "";
    if (left === null || left <= WARN) {
      if (left !== null) warn("soon");
      timer = setTimeout(check, AGAIN * 1000);
      return undefined;
    }
    if (idle.open) idle.close();
    timer = setTimeout(check, (left - WARN) * 1000);
    return undefined;
  }
  async function check() { watch(await secondsLeft(idle.dataset.ask)); }
  if (idle) {
    watch(Number(idle.dataset.left));
    document.addEventListener("visibilitychange", () => { if (!document.hidden) check(); });
    idle.querySelector("form[data-when=soon]").addEventListener("submit", async (event) => {
      event.preventDefault();
      const form = event.target;
      const left = await secondsLeft(form.action, { method: "POST", body: new FormData(form) });
      // A form out of date, after a new sign-in in another tab, says nothing of the session.
      if (left === 0) check();
      else watch(left);
    });
  }
  document.addEventListener("session-locked", lock);
  document.addEventListener("session-ended", () => { if (idle) warnOnce("ended"); });

  // What was sent is sent once: a second click, or Enter, waits until the page is left. An answer that is a
  // file leaves it standing, and so does one that never comes.
  const AGAIN_AFTER = 5_000;
  const sent = new WeakSet();
  function free(form) {
    sent.delete(form);
    for (const button of form.elements) {
      if ("sent" in button.dataset) button.disabled = false;
      button.removeAttribute("data-sent");
    }
  }
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (sent.has(form)) event.preventDefault();
    if (event.defaultPrevented || form.method !== "post") return;
    sent.add(form);
    // After the browser has taken the button's own value along.
    setTimeout(() => {
      for (const button of form.elements) {
        if (button.type !== "submit" || button.disabled) continue;
        button.disabled = true;
        button.dataset.sent = "";
      }
    });
    setTimeout(free, AGAIN_AFTER, form);
  });
  addEventListener("pageshow", () => { for (const form of document.forms) free(form); });

  // The second click of a double click was meant for the button that the first one met. By then another may
  // stand there: the next request in the inbox, the next unit of a review.
  document.addEventListener("click", (event) => {
    const button = event.detail > 1 ? event.target.closest("button") : null;
    if (button?.form?.method === "post" && button.type === "submit") event.preventDefault();
  });

  // An answer that is a file leaves the page of the proof standing: then it shows the way back.
  for (const form of document.querySelectorAll("form[data-presence]")) {
    form.addEventListener("submit", () => setTimeout(() => {
      const done = document.querySelector("[data-saved]");
      if (!done) return;
      form.hidden = true;
      done.hidden = false;
      done.querySelector("a").focus();
    }, SAVED_AFTER));
  }

  // Recovery codes can be copied and printed, where the browser can.
  for (const button of document.querySelectorAll("[data-print], [data-copy]")) {
    button.hidden = "copy" in button.dataset && !navigator.clipboard;
    button.addEventListener("click", async () => {
      if (!("copy" in button.dataset)) return print();
      const codes = document.getElementById(button.dataset.copy).querySelectorAll("code");
      await navigator.clipboard.writeText(Array.from(codes, (code) => code.textContent).join("\n"));
      return tell("say", button.dataset.done);
    });
  }

  // Single keys, in the part of the page that has the focus alone (WCAG 2.1.4), and never in a text.
  const keyed = document.querySelector("[data-keys]");
  keyed?.focus({ preventScroll: true });
  keyed?.addEventListener("keydown", (event) => {
    // A key that is held down was meant for what it met first: the next page may have the focus by now.
    if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches("input, textarea, select")) return;
    const named = keyed.querySelector(`[aria-keyshortcuts="${CSS.escape(event.key)}"]`);
    if (!named) return;
    event.preventDefault();
    named.click();
    if (named.matches("summary")) named.parentElement.querySelector("textarea")?.focus();
  });

  // The summary of errors takes the focus, so that it is read first.
  document.querySelector(".errors")?.focus();
})();
