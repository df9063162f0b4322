// The editor: one part at a time as tabs (WAI-ARIA tabs pattern), the line that says how a test goes, the clipboard.

const byId = (id) => document.getElementById(id);

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

// Roles only where this script makes them true; without it these are links to what stands below.
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

document.addEventListener("click", async (event) => {
  const tab = event.target.closest("[data-tab]");
  const button = event.target.closest("[data-copy-text]");
  if (tab) {
    event.preventDefault();
    open(tab.dataset.tab);
  } else if (button) {
    const source = byId(button.dataset.copyText);
    const line = byId(`${source.id}-status`);
    try {
      await navigator.clipboard.writeText(source.textContent);
      line.textContent = line.dataset.copied;
    } catch {
      getSelection().selectAllChildren(source);
      line.textContent = line.dataset.failed;
    }
  }
});

document.addEventListener("keydown", (event) => {
  const tab = event.target.closest?.("[role=tab]");
  if (!tab) return;
  const tabs = [...tab.parentElement.children];
  const at = tabs.indexOf(tab);
  const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
  if (event.key === " ") tab.click();
  if (next === undefined && event.key !== " ") return;
  event.preventDefault();
  if (next !== undefined) open(tabs[(next + tabs.length) % tabs.length].dataset.tab, true);
});

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.elt.id === "test") byId("test-status").textContent = byId("test-status").dataset.calling;
});

// Too many calls, or another one under way: what htmx takes for an error alone says so in words.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr } = event.detail;
  if (xhr.status === 429 && xhr.getResponseHeader("HX-Retarget")) {
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  }
});

for (const failure of ["htmx:responseError", "htmx:sendError"]) {
  document.addEventListener(failure, (event) => {
    const isOfTheForm = event.detail.elt.closest("#editor");
    if (isOfTheForm && !event.detail.xhr.getResponseHeader("HX-Redirect")) {
      byId("test-status").textContent = byId("test-status").dataset.failed;
    }
  });
}

document.addEventListener("htmx:afterSwap", (event) => {
  const part = event.detail.elt.dataset?.part ?? document.querySelector("#editor [name=part]").value;
  enhance();
  open(part);
  // What is mapped by a click stands in a part that may have been closed.
  const first = document.querySelector("#editor [autofocus]");
  if (first && !event.detail.target.matches("dialog")) first.focus();
});

enhance();
