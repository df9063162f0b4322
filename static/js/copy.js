// Copying: a button with data-copy-text writes the text of the element that it names to the clipboard.

import { say } from "./status.js";

// Only after the browser has written: "Copied" must never be untrue.
export function sayCopied(line, button) {
  const icon = button.querySelector(".icon").cloneNode(true);
  icon.querySelector("use").setAttribute("href", "#icon-check");
  say(line, "copied", true);
  line.prepend(icon);
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy-text]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copyText);
  const line = document.getElementById(`${source.id}-status`);
  try {
    await navigator.clipboard.writeText(source.textContent);
    sayCopied(line, button);
    source.dispatchEvent(new Event("copied", { bubbles: true }));
  } catch {
    getSelection().selectAllChildren(source);
    say(line, "failed");
  }
});
