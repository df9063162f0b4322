// Passkeys: the browser answers the server's challenge, and the form submits the credential.

import { begin, end } from "./busy.js";
import { say } from "./status.js";

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.dataset.passkey) return;
  event.preventDefault();
  if (form.ariaBusy) return;
  begin(form, event.submitter);
  authenticate(form).catch((error) => {
    end(form);
    say(statusOf(form), reason(error));
  });
});

const statusOf = (form) => form.querySelector("[role=status]");

async function authenticate(form) {
  if (!window.PublicKeyCredential?.parseRequestOptionsFromJSON) throw new DOMException("", "SecurityError");
  const { publicKey } = await challenge(form);
  const credential =
    form.dataset.passkey === "create"
      ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(publicKey) })
      : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey) });
  form.elements.credential.value = JSON.stringify(credential.toJSON());
  form.submit();
}

// In the page; or fetched on demand on public pages, where most challenges would go unused.
async function challenge(form) {
  if (form.dataset.options) {
    const options = JSON.parse(document.getElementById(form.dataset.options).textContent);
    // A device would create a passkey that the server refuses.
    if (performance.now() > options.publicKey.timeout) throw new Error("expired");
    return options;
  }
  const response = await fetch(form.dataset.optionsFrom, { headers: { Accept: "application/json" } });
  if (!response.ok) throw new Error(response.statusText);
  return (await response.json()).request_options;
}

// NotAllowedError: the user declined, or time ran out. InvalidStateError: the device holds a passkey of this account.
function reason(error) {
  return { NotAllowedError: "declined", InvalidStateError: "known", SecurityError: "missing" }[error.name] ?? "failed";
}
