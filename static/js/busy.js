// While a form, or a button with a request of its own, waits for the server, it looks and sounds busy. A plain form is sent
// once; htmx drops what is sent meanwhile.

import { say } from "./status.js";

const MOMENT = 400;
const shared = document.getElementById("busy");
const busy = new Map();
const sent = new Set();

export function begin(form, submitter) {
  const button = form.matches("button") ? form : (submitter ?? form.querySelector("button"));
  if (!button || busy.has(form)) return;
  form.ariaBusy = button.ariaDisabled = "true";
  busy.set(form, [button, announce(form)]);
}

export function end(form) {
  const [button, hush] = busy.get(form) ?? [];
  if (!button) return;
  busy.delete(form);
  sent.delete(form);
  form.ariaBusy = button.ariaDisabled = null;
  hush();
}

// Returns what takes the words back.
function announce(form) {
  const words = form.dataset.busy;
  const line = words && document.getElementById(form.dataset.busyLine ?? "token-status");
  if (line) {
    const before = line.textContent;
    say(line, words);
    return () => line.textContent === words && say(line, before);
  }
  // Behind an open dialog nobody could see or hear it.
  (form.closest("dialog[open]") ?? document.body).append(shared);
  const timer = setTimeout(() => say(shared, "working"), MOMENT);
  return () => {
    clearTimeout(timer);
    document.body.append(shared);
    say(shared, "");
  };
}

const endAll = () => [...busy.keys()].forEach(end);

addEventListener(
  "submit",
  (event) => {
    if (!sent.has(event.target)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  },
  true,
);

// After all other listeners.
addEventListener("submit", ({ defaultPrevented, target, submitter }) => {
  if (defaultPrevented || target.getAttribute("method") === "dialog") return;
  sent.add(target);
  begin(target, submitter);
});

for (const [moment, change] of [["htmx:beforeSend", begin], ["htmx:afterRequest", end]]) {
  document.addEventListener(moment, ({ detail: { elt, requestConfig } }) => {
    // The test bench has a status of its own.
    if (elt.matches("form:not([hidden]), button:not(#bench *)")) change(elt, requestConfig.triggeringEvent?.submitter);
  });
}

// Back from the browser's cache, or stopped on the way.
addEventListener("pageshow", endAll);
window.navigation?.addEventListener("navigateerror", endAll);
