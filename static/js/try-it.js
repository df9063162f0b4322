// "Try it": one call of the API with the real token. It passes from the answer that brings
// it into the request that carries it, and nothing that is shown holds it.

import { Redirected, Refused, requestToken } from "./request-token.js";

const PREFIX = 5;
const HINT = 4;

const mask = (token) => token.slice(0, PREFIX) + "•".repeat(token.length - PREFIX - HINT) + token.slice(-HINT);

async function call(path, token) {
  const startedAt = performance.now();
  const answer = await fetch(path, {
    headers: { Authorization: `Bearer ${token}` },
    credentials: "omit",
    cache: "no-store",
  });
  const body = await answer.text();
  return { answer, body, took: Math.ceil(performance.now() - startedAt) };
}

function indented(body) {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}

function transcript(path, token, { answer, body }) {
  const lines = [
    `GET ${path}`,
    `Authorization: Bearer ${token}`,
    "",
    `${answer.status} ${answer.statusText}`.trim(),
    ...[...answer.headers].map(([name, value]) => `${name}: ${value}`),
    "",
    indented(body),
  ];
  return lines.join("\n").replaceAll(token, mask(token));
}

// The call was a use of the token, and "never used" would be wrong from now on.
function refreshFacts() {
  htmx.ajax("GET", location.pathname, { target: "#token-facts", select: "#token-facts", swap: "outerHTML" });
}

async function tryOut(form) {
  const line = document.getElementById("try-it-status");
  const well = document.getElementById("try-it-answer");
  line.textContent = line.dataset.calling;
  line.removeAttribute("data-good");
  try {
    const token = await requestToken(form);
    const result = await call(form.dataset.try, token);
    well.textContent = transcript(form.dataset.try, token, result);
    well.hidden = false;
    line.textContent = line.dataset[result.answer.ok ? "answered" : "refused"]
      .replace("STATUS", result.answer.status)
      .replace("MILLISECONDS", result.took);
    line.toggleAttribute("data-good", result.answer.ok);
    refreshFacts();
  } catch (error) {
    well.hidden = true;
    if (!(error instanceof Redirected)) {
      line.textContent = error instanceof Refused && error.message !== "failed" ? error.message : line.dataset.failed;
    }
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
