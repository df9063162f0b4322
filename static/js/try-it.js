// "Try it": one call of the API with the real token. The token passes from one response
// into the next request; the page shows only its mask.

import { fillIn } from "./fill-in.js";
import { Redirected, Refused, requestToken } from "./request-token.js";
import { say } from "./status.js";

const PREFIX = 5;
const HINT = 4;

const mask = (token) => token.slice(0, PREFIX) + "•".repeat(token.length - PREFIX - HINT) + token.slice(-HINT);

async function call(path, token) {
  const startedAt = performance.now();
  const response = await fetch(path, {
    headers: { Authorization: `Bearer ${token}` },
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

function transcript(path, token, { response, body }) {
  const lines = [
    `GET ${path}`,
    `Authorization: Bearer ${token}`,
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
  else htmx.ajax("GET", location.pathname, { target: "#token-facts", select: "#token-facts", swap: "outerHTML" });
}

async function tryOut(form) {
  const line = document.getElementById("try-it-status");
  const well = document.getElementById("try-it-response");
  say(line, "calling");
  try {
    const token = await requestToken(form);
    const result = await call(form.dataset.try, token);
    well.textContent = transcript(form.dataset.try, token, result);
    well.hidden = false;
    const { ok, status } = result.response;
    const sentence = line.dataset[ok ? "answered" : "refused"];
    say(line, sentence.replace("STATUS", status).replace("MILLISECONDS", result.took), ok);
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
  await tryOut(event.target);
  isBusy = false;
});
