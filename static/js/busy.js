// Slow answers: while a form with data-busy waits for the server, its button looks and sounds busy, and the status line
// says so. htmx drops what is sent meanwhile.

import { say } from "./status.js";

const lineOf = (form) => document.getElementById(form.dataset.busyLine ?? "token-status");

// What the line said before, for an answer that changes nothing in it.
let before = "";

function setBusy(form, isBusy) {
  const button = form.querySelector("button");
  const line = lineOf(form);
  if (isBusy) button.setAttribute("aria-disabled", "true");
  else button.removeAttribute("aria-disabled");
  if (!line) return;
  if (isBusy) {
    before = line.textContent;
    say(line, form.dataset.busy);
  } else if (line.textContent === form.dataset.busy) say(line, before);
}

for (const [moment, isBusy] of [["htmx:beforeSend", true], ["htmx:afterRequest", false]]) {
  document.addEventListener(moment, ({ detail: { elt } }) => {
    if (elt.matches("[data-busy]")) setBusy(elt, isBusy);
  });
}
