// Passkeys: the server says what to ask, the browser's authenticator answers, the server judges; then
// the form around the button goes on. Without this file a page still takes codes.
(() => {
  "use strict";
  if (!window.PublicKeyCredential) return;

  // The server writes bytes as base64url, the browser wants and gives buffers.
  function toBytes(text) {
    const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    return Uint8Array.from(plain, (character) => character.charCodeAt(0));
  }
  function toText(buffer) {
    const plain = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
    return btoa(plain).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  }
  function named(credential) { return { ...credential, id: toBytes(credential.id) }; }

  // The question, of whichever half: one with a `user` makes a new passkey, another proves one.
  function ask(question) {
    const publicKey = { ...question, challenge: toBytes(question.challenge) };
    if (!question.user) {
      publicKey.allowCredentials = (question.allowCredentials || []).map(named);
      return navigator.credentials.get({ publicKey });
    }
    publicKey.user = { ...question.user, id: toBytes(question.user.id) };
    publicKey.excludeCredentials = (question.excludeCredentials || []).map(named);
    return navigator.credentials.create({ publicKey });
  }

  function answer(credential) {
    const response = {};
    for (const part of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (credential.response[part]) response[part] = toText(credential.response[part]);
    }
    if (credential.response.getTransports) response.transports = credential.response.getTransports();
    return {
      id: credential.id,
      rawId: toText(credential.rawId),
      type: credential.type,
      response,
      clientExtensionResults: credential.getClientExtensionResults(),
    };
  }

  async function send(address, form, data) {
    const response = await fetch(address, {
      method: "POST",
      redirect: "manual",
      headers: {
        "Content-Type": "application/json",
        "X-CSRFToken": form.elements.csrfmiddlewaretoken.value,
      },
      body: JSON.stringify(data),
    });
    // Signed out meanwhile: the form meets the same answer, as a page.
    if (response.type === "opaqueredirect") return null;
    const said = await response.json();
    if (!response.ok) throw new Error("refused", { cause: said.words });
    return said;
  }

  async function perform(part, form) {
    const question = await send(part.dataset.begin, form, {});
    const name = question?.user && form.elements.name ? { name: form.elements.name.value } : {};
    const said = question && await send(part.dataset.complete, form, { ...answer(await ask(question)), ...name });
    if (said?.next) {
      location.assign(said.next);
    } else {
      form.noValidate = true;
      form.requestSubmit();
    }
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-passkey] button");
    const part = button?.closest("[data-passkey]");
    if (!part || button.disabled) return;
    const sorry = part.querySelector("[role=alert]");
    sorry.hidden = true;
    button.disabled = true;
    try {
      await perform(part, button.form);
    } catch (error) {
      // What the device says where it holds one of the member's passkeys already (WebAuthn §6.3.2).
      const known = error.name === "InvalidStateError" && part.dataset.known;
      sorry.textContent = error.cause || known || part.dataset.sorry;
      sorry.hidden = false;
      button.disabled = false;
      button.focus();
    }
  });

  function show() {
    for (const part of document.querySelectorAll("[data-passkey]")) part.hidden = false;
  }
  document.addEventListener("htmx:afterSettle", show);
  show();
})();
