// Makes and uses passkeys. Where a browser knows none, the forms stay hidden, and the authenticator app or a recovery code is left.
"use strict";

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=+$/, "");
const listed = (credentials) => (credentials || []).map((one) => ({ ...one, id: bytes(one.id) }));

const create = async ({ publicKey }) => {
  publicKey.challenge = bytes(publicKey.challenge);
  publicKey.user.id = bytes(publicKey.user.id);
  publicKey.excludeCredentials = listed(publicKey.excludeCredentials);
  const made = await navigator.credentials.create({ publicKey });
  const { attestationObject, clientDataJSON } = made.response;
  const transports = made.response.getTransports ? made.response.getTransports() : [];
  return [made, { attestationObject: text(attestationObject), clientDataJSON: text(clientDataJSON), transports }];
};

const get = async ({ publicKey }) => {
  publicKey.challenge = bytes(publicKey.challenge);
  publicKey.allowCredentials = listed(publicKey.allowCredentials);
  const made = await navigator.credentials.get({ publicKey });
  const { authenticatorData, clientDataJSON, signature, userHandle } = made.response;
  return [
    made,
    {
      authenticatorData: text(authenticatorData),
      clientDataJSON: text(clientDataJSON),
      signature: text(signature),
      userHandle: userHandle && userHandle.byteLength ? text(userHandle) : null,
    },
  ];
};

if (window.PublicKeyCredential && navigator.credentials) {
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.hidden = false;
    const button = form.querySelector("button");
    const problem = form.querySelector("[data-problem]");
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      button.disabled = true;
      problem.hidden = true;
      const csrf = form.elements.csrf.value;
      let asked;
      try {
        asked = await fetch(form.dataset.begin, { method: "POST", body: new URLSearchParams({ csrf }), redirect: "error" });
      } catch {}
      if (!asked || (asked.headers.get("content-type") || "").startsWith("text/html")) {
        // The password is to be given again first: the page itself leads there.
        location.reload();
        return;
      }
      try {
        const options = await asked.json();
        const [made, response] = await (form.dataset.passkey === "create" ? create(options) : get(options));
        const { id, type } = made;
        form.querySelector("[data-credential]").value = JSON.stringify({ id, rawId: text(made.rawId), type, response });
        form.submit();
      } catch {
        button.disabled = false;
        problem.hidden = false;
      }
    });
  }
}
