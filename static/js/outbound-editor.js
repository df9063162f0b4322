// The editor: its parts as tabs (WAI-ARIA tabs pattern).

import { say } from "./status.js";
import { placeAfter } from "./tab-keys.js";

function open(name, takesFocus = false) {
  for (const tab of document.querySelectorAll("[data-tab]")) {
    const isOpen = tab.dataset.tab === name;
    tab.setAttribute("aria-selected", isOpen);
    tab.tabIndex = isOpen ? 0 : -1;
    if (isOpen && takesFocus) tab.focus();
  }
  for (const part of document.querySelectorAll("[data-part]")) part.toggleAttribute("data-current", part.dataset.part === name);
  document.querySelector("#editor [name=part]").value = name;
}

// Sets the roles here: without this script the tabs are links to the parts below.
function enhance() {
  const list = document.querySelector("[data-parts]");
  list.setAttribute("role", "tablist");
  for (const tab of list.querySelectorAll("[data-tab]")) {
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", `part-${tab.dataset.tab}`);
  }
  for (const part of document.querySelectorAll("[data-part]")) {
    part.setAttribute("role", "tabpanel");
    part.setAttribute("aria-labelledby", `tab-${part.dataset.part}`);
  }
  open(document.querySelector("#editor [name=part]").value);
}

document.addEventListener("click", (event) => {
  const tab = event.target.closest("[data-tab]");
  if (!tab) return;
  event.preventDefault();
  open(tab.dataset.tab);
});

document.addEventListener("keydown", (event) => {
  const tab = event.target.closest?.("[role=tab]");
  if (!tab) return;
  const tabs = [...tab.parentElement.children];
  const next = placeAfter(event, tabs.indexOf(tab), tabs.length);
  if (event.key === " ") tab.click();
  if (next === undefined && event.key !== " ") return;
  event.preventDefault();
  if (next !== undefined) open(tabs[next].dataset.tab, true);
});

for (const failure of ["htmx:responseError", "htmx:sendError"]) {
  document.addEventListener(failure, (event) => {
    if (event.detail.elt.closest("#editor")) say(document.getElementById("test-status"), "failed");
  });
}

document.addEventListener("htmx:afterSwap", (event) => {
  const { elt } = event.detail;
  if (!elt.matches?.("[data-part]")) return;
  enhance();
  open(elt.dataset.part);
  // Only of what has just come: an older mark elsewhere must not take the focus.
  elt.querySelector("[autofocus]")?.focus();
});

// Another script has found something wrong in a part.
document.addEventListener("editor:open", (event) => open(event.detail));

enhance();
