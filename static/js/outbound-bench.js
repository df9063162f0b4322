// The test bench: sending a test by key and button, its time and its end, and the values of a contact.

import { inWords } from "./numbers.js";
import { showProblems } from "./outbound-problems.js";
import { say } from "./status.js";

const form = document.getElementById("editor");
const bench = document.getElementById("bench");
const send = document.getElementById("send");
const cancel = document.getElementById("cancel");
const elapsed = document.getElementById("elapsed");
const status = document.getElementById("test-status");
const outcome = document.getElementById("outcome");

// Each test has an id of its own, so that Cancel cannot end the next one.
let testId = null;
let clock = null;

function newId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function begin() {
  const began = performance.now();
  const tick = () => {
    elapsed.textContent = elapsed.dataset.text.replace("{seconds}", inWords((performance.now() - began) / 1000, 1));
  };
  tick();
  clock = setInterval(tick, 100);
  elapsed.hidden = false;
  bench.toggleAttribute("data-running", true);
  send.setAttribute("aria-disabled", "true");
  cancel.disabled = false;
  outcome.setAttribute("aria-busy", "true");
  say(status, "calling");
  loadResponse();
}

function end() {
  clearInterval(clock);
  testId = null;
  elapsed.hidden = true;
  bench.toggleAttribute("data-running", false);
  send.removeAttribute("aria-disabled");
  outcome.removeAttribute("aria-busy");
  // A disabled button loses the focus to nowhere.
  if (document.activeElement === cancel) send.focus();
  cancel.disabled = true;
  const problems = document.getElementById("problems");
  if (!problems) return;
  showProblems(form, JSON.parse(problems.dataset.problems));
  problems.remove();
}

document.addEventListener("htmx:configRequest", (event) => {
  const { elt, parameters } = event.detail;
  if (elt === send) testId = newId();
  if (elt === send || elt === cancel) parameters.test_id = testId;
});

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.elt === send) begin();
  else if (event.detail.elt === cancel) say(status, "cancelling");
});

document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.elt === send) end();
});

// After too many calls, or during another one, the server sends a page with 429. htmx would drop it as an error.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr } = event.detail;
  if (xhr.status === 429 && xhr.getResponseHeader("HX-Retarget")) {
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  }
});

form.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.isComposing || event.defaultPrevented) return;
  const isOfValues = event.target.matches("#samples input");
  if (!isOfValues && !event.ctrlKey && !event.metaKey) return;
  event.preventDefault();
  send.click();
});

// A chosen contact fills the values; what it does not have stays.
document.addEventListener("click", (event) => {
  const choice = event.target.closest("dialog [name=fill]");
  if (!choice) return;
  event.preventDefault();
  const { values, note } = JSON.parse(choice.value);
  const fields = [...document.querySelectorAll("#samples input")];
  for (const field of fields) {
    const value = values[field.name.replace("sample-", "").toLowerCase()];
    if (value === undefined) continue;
    field.value = value;
    // The draft on the server takes it too.
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
  choice.closest("dialog").close();
  say(document.getElementById("samples-note"), note);
  fields[0]?.focus();
});

// The bar covers no field that gets the focus, however many lines it has.
new ResizeObserver(() => {
  const isStuck = getComputedStyle(bench).position === "sticky";
  document.documentElement.style.scrollPaddingBlockStart = isStuck ? `${bench.offsetHeight + 16}px` : "";
}).observe(bench);

// Only a page that shows a response needs this script, and loads it while the server answers.
const loadResponse = () => import("./outbound-response.js");

function showResponse() {
  if (document.getElementById("exchange")) loadResponse();
}

document.addEventListener("htmx:afterSwap", showResponse);
showResponse();
