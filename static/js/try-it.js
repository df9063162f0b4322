// One call of the API with the real token: "Try it", or an operation of the reference. The token passes from one response
// into the next request; the page shows only its mask.

import { begin, end } from "./busy.js";
import { fillIn } from "./fill-in.js";
import { inWords } from "./numbers.js";
import { Redirected, Refused, requestToken } from "./request-token.js";
import { say } from "./status.js";

const PREFIX = 5;
const HINT = 4;

const mask = (token) => token.slice(0, PREFIX) + "•".repeat(token.length - PREFIX - HINT) + token.slice(-HINT);

// A form names its call by data attributes; where it can be edited, by fields without a name, which no server gets.
function requestOf(form) {
  const method = form.dataset.method ?? "GET";
  const path = form.querySelector("[data-path]")?.value ?? form.dataset.try;
  return { method, path, text: form.querySelector("[data-body]")?.value };
}

async function call({ method, path, text }, token) {
  const startedAt = performance.now();
  const type = text === undefined ? {} : { "Content-Type": "application/json" };
  const response = await fetch(path, {
    method,
    headers: { Authorization: `Bearer ${token}`, ...type },
    body: text,
    credentials: "omit",
    cache: "no-store",
  });
  const body = await response.text();
  return { response, body, took: Math.ceil(performance.now() - startedAt) };
}

function indented(body) {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}

function transcript({ method, path, text }, token, { response, body }) {
  const lines = [
    `${method} ${path}`,
    `Authorization: Bearer ${token}`,
    ...(text === undefined ? [] : ["Content-Type: application/json", "", text]),
    "",
    `${response.status} ${response.statusText}`.trim(),
    ...[...response.headers].map(([name, value]) => `${name}: ${value}`),
    "",
    indented(body),
  ];
  return lines.join("\n").replaceAll(token, mask(token));
}

// The call used the token: "never used" is no longer true. The steps bring the facts with them.
function refreshFacts() {
  if (document.querySelector("#steps-fill-in[data-hx-get]")) fillIn();
  else if (document.getElementById("token-facts")) htmx.ajax("GET", location.pathname, { target: "#token-facts", select: "#token-facts", swap: "outerHTML" });
}

async function tryOut(form) {
  const line = form.querySelector("[role=status]");
  const well = form.nextElementSibling;
  const request = requestOf(form);
  say(line, "calling");
  try {
    const token = await requestToken(form);
    const result = await call(request, token);
    well.textContent = transcript(request, token, result);
    well.hidden = false;
    const { ok, status } = result.response;
    const sentence = line.dataset[ok ? "answered" : "refused"];
    say(line, sentence.replace("STATUS", status).replace("MILLISECONDS", inWords(result.took)), ok);
    refreshFacts();
  } catch (error) {
    well.hidden = true;
    if (!(error instanceof Redirected)) say(line, error instanceof Refused ? error.message : "failed");
  }
}

let isBusy = false;

document.addEventListener("submit", async (event) => {
  if (!event.target.matches("[data-try]")) return;
  event.preventDefault();
  if (isBusy) return;
  isBusy = true;
  begin(event.target, event.submitter);
  await tryOut(event.target);
  end(event.target);
  isBusy = false;
});
