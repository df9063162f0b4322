// What a test or a log shows: its panes as tabs (WAI-ARIA tabs pattern), and copying one.

import { sayCopied } from "./copy.js";
import { findAgain } from "./outbound-find.js";
import { enhanceTree } from "./outbound-tree.js";
import { say } from "./status.js";
import { placeAfter } from "./tab-keys.js";

// The pane that was opened last: the next test opens it too.
let wanted = "";

function open(name, takesFocus = false) {
  for (const tab of document.querySelectorAll("[data-pane-tab]")) {
    const isOpen = tab.dataset.paneTab === name;
    tab.setAttribute("aria-selected", isOpen);
    tab.tabIndex = isOpen ? 0 : -1;
    if (isOpen && takesFocus) tab.focus();
  }
  for (const pane of document.querySelectorAll("[role=tabpanel][data-pane]")) {
    pane.toggleAttribute("data-current", pane.dataset.pane === name);
  }
  findAgain();
}

// Sets the roles here: without this script the tabs are links to the panes below.
function enhance() {
  const exchange = document.querySelector(".exchange:not([data-enhanced])");
  if (!exchange) return;
  exchange.dataset.enhanced = "";
  for (const tree of exchange.querySelectorAll("[data-tree]")) enhanceTree(tree);
  const list = exchange.querySelector("[data-pane-tabs]");
  if (!list) return;
  list.setAttribute("role", "tablist");
  const tabs = [...list.querySelectorAll("[data-pane-tab]")];
  for (const tab of tabs) {
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", `pane-${tab.dataset.paneTab}`);
    document.getElementById(`pane-${tab.dataset.paneTab}`).setAttribute("role", "tabpanel");
  }
  open((tabs.find((tab) => tab.dataset.paneTab === wanted) ?? tabs[0]).dataset.paneTab);
}

document.addEventListener("click", (event) => {
  const tab = event.target.closest("[data-pane-tab]");
  if (!tab) return;
  event.preventDefault();
  wanted = tab.dataset.paneTab;
  open(wanted);
});

// Before the editor's own tabs hear of the key.
document.addEventListener(
  "keydown",
  (event) => {
    const tab = event.target.closest?.("[data-pane-tab]");
    if (!tab) return;
    const tabs = [...tab.parentElement.children];
    const at = tabs.indexOf(tab);
    const next = event.key === " " ? at : placeAfter(event, at, tabs.length);
    if (next === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    wanted = tabs[next].dataset.paneTab;
    open(wanted, true);
  },
  { capture: true },
);

// Indents JSON and changes nothing else: numbers keep their digits.
function indented(json) {
  let depth = 0;
  const line = (change) => `\n${"  ".repeat((depth += change))}`;
  const parts = json.match(/"(?:\\.|[^"\\])*"|[{[]\s*[}\]]|[{}[\],:]|[^\s{}[\],:"]+/g) ?? [];
  const written = parts.map((part) => {
    if (part === "{" || part === "[") return part + line(1);
    if (part === "}" || part === "]") return line(-1) + part;
    if (part === ",") return part + line(0);
    if (part === ":") return ": ";
    return /^[{[]/.test(part) ? part.replace(/\s/g, "") : part;
  });
  return written.join("");
}

function textOf(element) {
  if (!element.matches("dl")) return element.textContent;
  return [...element.querySelectorAll("dt")].map((name) => `${name.textContent}: ${name.nextElementSibling.textContent}`).join("\n");
}

function copied(pane) {
  if (pane.dataset.pane === "tree") return indented(document.getElementById("response-text").textContent);
  const parts = [...pane.querySelectorAll(".log__line, dl, .log__body, .raw__text")];
  return parts.map((part) => (part.matches(".log__body") ? "\n" : "") + textOf(part)).join("\n");
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy-pane]");
  if (!button) return;
  const pane = button.closest("[data-pane]");
  const line = document.getElementById("copy-status");
  try {
    await navigator.clipboard.writeText(copied(pane));
    sayCopied(line, button);
  } catch {
    getSelection().selectAllChildren(pane.querySelector(".raw__text, .response-tree, .pairs"));
    say(line, "failed");
  }
});

document.addEventListener("htmx:afterSwap", enhance);
enhance();
