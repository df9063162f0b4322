// Keeps what is typed in the editor on the server: soon after a change, and when the page is left.

import { begin, end } from "./busy.js";

// Milliseconds. Somebody who types without a pause is saved at the latest after MOST.
const MOST = 10_000;
const FIRST_RETRY = 5_000;
const LAST_RETRY = 60_000;
// Bytes that a browser sends after a page is gone (Fetch standard: 64 KiB in total).
const MOST_AFTER_END = 60_000;
// Fields that say nothing about the call.
const OTHERS = ["csrfmiddlewaretoken", "draft", "log", "part", "test_id"];

const form = () => document.getElementById("editor");
const line = () => document.getElementById("draft-status");
const field = (name) => form().elements.namedItem(name);

class Problem extends Error {}

let kept = content();
let timer = 0;
let changedAt = 0;
let retryAfter = 0;
let saving = null;
let isLeaving = false;
let problem = "";
let said = line().textContent;

function content() {
  const data = new FormData(form());
  for (const name of OTHERS) data.delete(name);
  return new URLSearchParams(data).toString();
}

const isDirty = () => content() !== kept;

// Announces only news: a problem, its end, and the first time that something is saved.
function show(sentence, isBad = false) {
  const isNews = isBad || line().hasAttribute("data-bad") || !said;
  line().setAttribute("aria-live", isNews ? "polite" : "off");
  if (line().textContent !== sentence) line().textContent = sentence;
  line().toggleAttribute("data-bad", isBad);
  // The line covers no field that gets the focus.
  document.documentElement.style.scrollPaddingBlockEnd = isBad ? `${line().offsetHeight + 16}px` : "";
  said = sentence;
}

function schedule(milliseconds) {
  clearTimeout(timer);
  timer = setTimeout(save, milliseconds);
}

function note() {
  const pause = 1000 * Number(line().dataset.seconds);
  changedAt ||= Date.now();
  schedule(Math.min(pause, Math.max(0, changedAt + MOST - Date.now())));
}

function request(keepalive) {
  const body = new URLSearchParams(new FormData(form()));
  body.set("owner", line().dataset.owner);
  return fetch(line().dataset.url, { method: "POST", body, keepalive, headers: { Accept: "application/json" } });
}

// A new log-in has a new token.
async function renewToken() {
  const response = await fetch(line().dataset.tokenUrl, { headers: { Accept: "application/json" } });
  if (response.headers.get("HX-Redirect")) throw new Problem("loggedOut");
  if (!response.ok) throw new Problem("failed");
  const { token, owner } = await response.json();
  if (String(owner) !== line().dataset.owner) throw new Problem("other");
  for (const each of document.getElementsByName("csrfmiddlewaretoken")) each.value = token;
}

async function post() {
  let response = await request(false);
  if (response.status === 403) {
    await renewToken();
    response = await request(false);
  }
  if (response.status === 409) throw new Problem("other");
  if (response.status === 404) throw new Problem("gone");
  if (response.status === 413) throw new Problem("large");
  if (!response.ok) throw new Problem("failed");
  return response.json();
}

async function saveOnce() {
  const sent = content();
  changedAt = 0;
  try {
    const answer = await post();
    retryAfter = 0;
    problem = "";
    if (isLeaving) return;
    if (answer.has_ended) {
      // Another tab has saved or discarded it. This page goes on with a draft of its own.
      field("draft").value = answer.draft;
      note();
      return;
    }
    kept = sent;
    show(answer.sentence, answer.is_bad);
    if (isDirty()) note();
  } catch (error) {
    problem = error instanceof Problem ? error.message : "offline";
    if (isLeaving) return;
    show(line().dataset[problem], true);
    if (problem === "gone" || problem === "large") {
      kept = sent;
    } else {
      retryAfter = Math.min(LAST_RETRY, 2 * retryAfter || FIRST_RETRY);
      schedule(retryAfter);
    }
  }
}

async function save() {
  clearTimeout(timer);
  await saving;
  if (!isDirty()) return;
  saving = saveOnce();
  await saving;
}

function saveAtEnd() {
  if (isLeaving || !isDirty() || content().length > MOST_AFTER_END) return;
  const sent = content();
  request(true).then((response) => response.ok && (kept = sent), () => {});
}

for (const type of ["input", "change"]) {
  document.addEventListener(type, (event) => {
    if (!event.target.closest("#editor")) return;
    // The page is still there: leaving it was stopped.
    isLeaving = false;
    if (isDirty()) note();
  });
}

// A response may have brought another form, and lost what the line says.
document.addEventListener("htmx:afterSwap", () => {
  if (problem) show(line().dataset[problem], true);
  if (isDirty()) note();
});

// A button of the editor would lead to the log-in page, and lose what is not saved yet.
document.addEventListener("htmx:beforeOnLoad", (event) => {
  if (!event.detail.elt.closest("#editor") || !event.detail.xhr.getResponseHeader("HX-Redirect")) return;
  event.preventDefault();
  kept = "";
  save();
});

// After a log-in in another tab the page has an old token. Pressed again, the button works.
document.addEventListener("htmx:responseError", (event) => {
  if (event.detail.xhr.status === 403 && event.detail.elt.closest("#editor")) renewToken().catch(() => {});
});

// Save and Cancel replace the page. First what they would lose if the session has ended is brought into safety.
document.addEventListener("submit", async (event) => {
  if (event.target !== form() || isLeaving) return;
  if (problem || isDirty()) {
    event.preventDefault();
    begin(form(), event.submitter);
    await save();
    end(form());
    if (["loggedOut", "other", "offline"].includes(problem)) {
      line().scrollIntoView({ block: "nearest" });
      return;
    }
    isLeaving = true;
    form().requestSubmit(event.submitter);
  }
  isLeaving = true;
});

for (const type of ["online", "focus"]) {
  addEventListener(type, () => {
    if (problem) save();
  });
}

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "hidden") saveAtEnd();
  else if (problem) save();
});

addEventListener("pagehide", saveAtEnd);
