// The token box: Copy without showing, Hide, and hiding by itself. Show and Revoke are
// htmx forms; the server draws what they change. Listeners are delegated, since fragments
// come and go. The token is never kept: it passes from an answer to the clipboard.

import { Redirected, Refused, requestToken } from "./request-token.js";

const byId = (id) => document.getElementById(id);

function say(key, line = byId("token-status")) {
  const isGood = key === "copied";
  line.textContent = line.dataset[key] ?? key;
  line.toggleAttribute("data-good", isGood);
  if (isGood) line.prepend(document.querySelector("[data-copied] .icon").cloneNode(true));
}

const asPlainText = (text) => new Blob([text], { type: "text/plain" });

class Unasked extends Error {}

// Firefox and Safari do not tell.
async function isClipboardDenied() {
  try {
    const { state } = await navigator.permissions.query({ name: "clipboard-write" });
    return state === "denied";
  } catch {
    return false;
  }
}

// The promise goes into the clipboard item as it is: waiting for the answer first would
// lose the user's gesture, and Safari and Firefox would refuse to write. Where the clipboard
// refuses at once, the token is not asked for: it is shown instead, and recorded as that.
async function copyToken(form) {
  let isRefused = false;
  const token = isClipboardDenied().then((isDenied) => {
    if (isDenied || isRefused) throw new Unasked();
    return requestToken(form);
  });
  const text = token.then(asPlainText);
  text.catch(() => {});
  try {
    await navigator.clipboard.write([new ClipboardItem({ "text/plain": text })]);
    say("copied");
    flashCopied();
  } catch {
    isRefused = true;
    const error = await token.then(() => new Unasked(), (error) => error);
    if (error instanceof Unasked) htmx.trigger(form, "clipboard-refused");
    else if (!(error instanceof Redirected)) say(error instanceof Refused ? error.message : "failed");
  }
}

let flash;

function flashCopied() {
  const showCopied = (isCopied) => {
    for (const label of byId("token-copy").children) {
      label.hidden = "copied" in label.dataset !== isCopied;
    }
  };
  clearTimeout(flash);
  showCopied(true);
  flash = setTimeout(() => showCopied(false), 2000);
}

function hide() {
  const box = document.querySelector("#token-box[data-shown]");
  if (!box) return;
  const hadFocus = box.contains(document.activeElement);
  const masked = box.querySelector("template[data-masked]").content.firstElementChild.cloneNode(true);
  box.replaceWith(masked);
  htmx.process(masked);
  say("hidden");
  if (hadFocus) byId("token-visibility").focus();
}

const canCopy = () => Boolean(navigator.clipboard?.write && window.ClipboardItem);

// In the capture phase: htmx must not see the submit that the clipboard takes over. Where
// there is no clipboard htmx does see it, and the server draws the token to copy by hand.
document.addEventListener(
  "submit",
  (event) => {
    if (event.target.matches("[data-hide]")) {
      event.preventDefault();
      hide();
    } else if (event.target.matches("[data-copy]") && canCopy()) {
      event.preventDefault();
      event.stopPropagation();
      copyToken(event.target);
    }
  },
  { capture: true },
);

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy-text]");
  if (!button) return;
  const source = byId(button.dataset.copyText);
  const line = byId(`${source.id}-status`);
  try {
    await navigator.clipboard.writeText(source.textContent);
    say("copied", line);
  } catch {
    getSelection().selectAllChildren(source);
    say("failed", line);
  }
});

document.addEventListener("visibilitychange", () => document.hidden && hide());
addEventListener("pagehide", hide);

document.addEventListener("htmx:afterSettle", () => {
  document.querySelector("[data-select]")?.select();
  // The tab may have been left before the answer came.
  if (document.hidden) hide();
});

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.matches("dialog")) event.detail.target.showModal();
});

// Behind a dialog the line could be neither seen nor heard.
function tellFailure() {
  const dialog = document.querySelector("dialog[open]");
  dialog?.close();
  say("failed");
  if (dialog) byId("token-status").focus();
}

for (const failure of ["htmx:responseError", "htmx:sendError"]) {
  document.addEventListener(failure, (event) => {
    if (!event.detail.xhr.getResponseHeader("HX-Redirect")) tellFailure();
  });
}
