"use strict";
// Passkeys: the one thing that pages can't do without script. Each element with data-passkey says
// which ceremony it offers and where its two questions go; everything else is in the page already.
(() => {
  // A question counts for five minutes; one that waits in the background is put anew before that.
  const RENEW = 4 * 60 * 1000;

  const places = [...document.querySelectorAll("[data-passkey]")];
  const all = (selector) => document.querySelectorAll(selector);
  const show = (selector) => all(selector).forEach((element) => { element.hidden = false; });

  // Browsers know no passkeys at a bare address.
  const isAddress = /^[\d.]+$|:/.test(location.hostname);
  if (!window.PublicKeyCredential || !navigator.credentials || isAddress) {
    all("[data-passkey], [data-passkey-or], [data-passkey-name]").forEach((element) => element.remove());
    show("[data-passkey-unsupported]");
    return;
  }

  const bytes = (text) =>
    Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const named = (list) => (list || []).map((credential) => ({ ...credential, id: bytes(credential.id) }));

  async function post(place, url, body) {
    const answer = await fetch(url, {
      method: "POST",
      credentials: "same-origin",
      redirect: "error",
      headers: { "content-type": "application/json", "x-csrf": place.dataset.csrf },
      body: JSON.stringify(body),
    });
    const said = await answer.json();
    if (answer.ok) return said;
    // Somebody has to sign in anew first, or the sign-in that this was for is over.
    if (said.location) location.assign(said.location);
    throw new Error(`${url}: ${answer.status}`);
  }

  // What goes with both questions of a ceremony.
  function about(place) {
    const remember = document.querySelector("input[name=remember]");
    return {
      ceremony: place.dataset.passkey,
      remember: remember && remember.checked ? "1" : null,
    };
  }

  function plain(credential) {
    const response = credential.response;
    const answer = { clientDataJSON: text(response.clientDataJSON) };
    if (response.attestationObject) {
      answer.attestationObject = text(response.attestationObject);
      answer.transports = response.getTransports ? response.getTransports() : [];
    } else {
      answer.authenticatorData = text(response.authenticatorData);
      answer.signature = text(response.signature);
      answer.userHandle = response.userHandle ? text(response.userHandle) : null;
    }
    return {
      id: credential.id,
      rawId: text(credential.rawId),
      type: credential.type,
      response: answer,
      clientExtensionResults: credential.getClientExtensionResults(),
    };
  }

  async function signIn(place, credential) {
    const body = { ...about(place), credential: plain(credential) };
    const { location: next } = await post(place, place.dataset.finish, body);
    location.assign(next);
  }

  // As a form, because what it leads to is a page: the first passkey comes with recovery codes.
  function add(place, credential) {
    const name = document.getElementById("passkey-name");
    const form = document.createElement("form");
    form.method = "post";
    form.action = place.dataset.finish;
    const fields = {
      csrf: place.dataset.csrf,
      action: "add",
      name: name ? name.value : "",
      credential: JSON.stringify(plain(credential)),
    };
    for (const [key, value] of Object.entries(fields)) {
      const field = document.createElement("input");
      field.type = "hidden";
      field.name = key;
      field.value = value;
      form.append(field);
    }
    document.body.append(form);
    form.submit();
  }

  async function get(place, how) {
    const { publicKey } = await post(place, place.dataset.options, about(place));
    const challenge = bytes(publicKey.challenge);
    const allowCredentials = named(publicKey.allowCredentials);
    return navigator.credentials.get({ publicKey: { ...publicKey, challenge, allowCredentials }, ...how });
  }

  async function create(place) {
    const { publicKey } = await post(place, place.dataset.options, {});
    const challenge = bytes(publicKey.challenge);
    const user = { ...publicKey.user, id: bytes(publicKey.user.id) };
    const excludeCredentials = named(publicKey.excludeCredentials);
    return navigator.credentials.create({ publicKey: { ...publicKey, challenge, user, excludeCredentials } });
  }

  // Passkeys among the suggestions of the name field: the browser asks by itself, and may be
  // interrupted for the button.
  let waiting;
  async function suggest(place) {
    const known = PublicKeyCredential.isConditionalMediationAvailable;
    if (place.dataset.passkey !== "sign-in" || !known || !(await known.call(PublicKeyCredential))) return;
    const mine = new AbortController();
    waiting = mine;
    const renewed = setTimeout(() => {
      mine.abort();
      const again = () => (document.hidden ? addEventListener("visibilitychange", again, { once: true }) : suggest(place));
      if (waiting === mine) again();
    }, RENEW);
    try {
      const credential = await get(place, { mediation: "conditional", signal: mine.signal });
      clearTimeout(renewed);
      await signIn(place, credential);
    } catch (problem) {
      if (mine.signal.aborted) return;
      clearTimeout(renewed);
      // Nobody has pressed anything: only an answer that was refused is worth a word.
      if (problem.message && problem.message.startsWith(`${place.dataset.finish}: `)) fail(place);
    }
  }

  function fail(place) {
    const alert = place.querySelector("[role=alert]");
    if (alert) alert.hidden = false;
  }

  for (const place of places) {
    const button = place.querySelector("button");
    button.addEventListener("click", async () => {
      if (waiting) waiting.abort();
      waiting = undefined;
      button.disabled = true;
      const alert = place.querySelector("[role=alert]");
      if (alert) alert.hidden = true;
      try {
        if (place.dataset.passkey === "enrol") {
          add(place, await create(place));
        } else {
          await signIn(place, await get(place, {}));
        }
      } catch {
        fail(place);
        button.disabled = false;
        suggest(place);
      }
    });
    place.hidden = false;
    suggest(place);
  }
  show("[data-passkey-or], [data-passkey-name]");
})();
