// The token box: Copy without showing, Hide, and hiding by itself. Show and Revoke are htmx
// forms: the server renders what they change. Listeners are delegated, since fragments come
// and go. The token is never stored: it passes from a response to the clipboard.

import { begin, end } from "./busy.js";
import { sayCopied } from "./copy.js";
import { fillIn } from "./fill-in.js";
import { Redirected, Refused, requestToken } from "./request-token.js";
import { say } from "./status.js";

const byId = (id) => document.getElementById(id);
const status = () => byId("token-status");
const asPlainText = (text) => new Blob([text], { type: "text/plain" });

class NotRequested extends Error {}

// Firefox and Safari do not know this permission.
async function isClipboardDenied() {
  try {
    const { state } = await navigator.permissions.query({ name: "clipboard-write" });
    return state === "denied";
  } catch {
    return false;
  }
}

// The clipboard item gets the promise itself: waiting for the response first would lose the
// user's gesture, and Safari and Firefox would refuse to write. If the clipboard refuses at
// once, the token is not requested for it: it is shown instead, and recorded as shown.
async function copyToken(form) {
  let isRefused = false;
  const token = isClipboardDenied().then((isDenied) => {
    if (isDenied || isRefused) throw new NotRequested();
    return requestToken(form);
  });
  const text = token.then(asPlainText);
  text.catch(() => {});
  try {
    await navigator.clipboard.write([new ClipboardItem({ "text/plain": text })]);
    sayCopied(status(), byId("token-copy"));
    flashCopied();
    fillIn();
  } catch {
    isRefused = true;
    const error = await token.then(() => new NotRequested(), (error) => error);
    if (error instanceof NotRequested) htmx.trigger(form, "clipboard-refused");
    else if (!(error instanceof Redirected)) say(status(), error instanceof Refused ? error.message : "failed");
  }
}

let flash;

// A second press while the first one is at work copies nothing again.
async function copyTokenOnce(form) {
  if (form.ariaBusy) return;
  begin(form);
  await copyToken(form);
  end(form);
}

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
  say(status(), "hidden");
  if (hadFocus) byId("token-visibility").focus();
}

const canCopy = () => Boolean(navigator.clipboard?.write && window.ClipboardItem);

// In the capture phase: htmx must not see a submit that the clipboard takes over. Without a
// clipboard htmx does see it, and the server shows the token, to be copied by hand.
document.addEventListener(
  "submit",
  (event) => {
    if (event.target.matches("[data-hide]")) {
      event.preventDefault();
      hide();
    } else if (event.target.matches("[data-copy]") && canCopy()) {
      event.preventDefault();
      event.stopPropagation();
      copyTokenOnce(event.target);
    }
  },
  { capture: true },
);

document.addEventListener("visibilitychange", () => document.hidden && hide());
addEventListener("pagehide", hide);

document.addEventListener("htmx:afterSettle", () => {
  document.querySelector("[data-select]")?.select();
  // The user may have left the tab before the response came.
  if (document.hidden) hide();
});

// Nobody could see or hear the status line behind an open dialog.
function sayFailed(event) {
  const dialog = document.querySelector("dialog[open]");
  dialog?.close();
  const isUnconfirmed = event.detail.xhr?.getResponseHeader("Not-Confirmed");
  say(status(), isUnconfirmed ? "unconfirmed" : "failed");
  if (dialog) status().focus();
}

for (const failure of ["htmx:responseError", "htmx:sendError"]) document.addEventListener(failure, sayFailed);
