// Passkeys: the browser answers the server's challenge, and the form carries the answer.

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.dataset.passkey) return;
  event.preventDefault();
  answer(form).catch((error) => say(form, reason(error)));
});

async function answer(form) {
  if (!window.PublicKeyCredential?.parseRequestOptionsFromJSON) return say(form, "missing");
  const { publicKey } = await challenge(form);
  const credential =
    form.dataset.passkey === "create"
      ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(publicKey) })
      : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey) });
  form.elements.credential.value = JSON.stringify(credential.toJSON());
  form.submit();
}

// On the page itself, or fetched where the page is open to all and its challenge would often go unused.
async function challenge(form) {
  if (form.dataset.options) {
    const options = JSON.parse(document.getElementById(form.dataset.options).textContent);
    // A device would make a passkey that the server no longer takes.
    if (performance.now() > options.publicKey.timeout) throw new Error("The challenge of this page has expired.");
    return options;
  }
  const response = await fetch(form.dataset.optionsFrom, { headers: { Accept: "application/json" } });
  if (!response.ok) throw new Error(response.statusText);
  return (await response.json()).request_options;
}

// A browser says NotAllowedError for whatever its user did not finish, InvalidStateError for a known passkey.
function reason(error) {
  return { NotAllowedError: "declined", InvalidStateError: "known", SecurityError: "missing" }[error.name] ?? "failed";
}

function say(form, what) {
  const status = form.querySelector("[role=status]");
  status.textContent = status.dataset[what];
}
