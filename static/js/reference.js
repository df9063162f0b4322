// The reference of the API: opens the operation that the address names, and searches operations.

import { inWords } from "./numbers.js";

const operations = [...document.querySelectorAll(".operation")];
const texts = new Map(operations.map((operation) => [operation, operation.textContent.toLowerCase()]));
const field = document.querySelector("[data-search]");
const line = document.getElementById("search-status");
const entryOf = (operation) => document.querySelector(`.reference__contents a[href="#${operation.id}"]`)?.parentElement;

function openNamed() {
  const named = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const folded = named?.querySelector("details");
  if (!folded) return;
  folded.open = true;
  named.scrollIntoView();
}

// Every word has to occur, in any order.
function search() {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  let found = 0;
  for (const operation of operations) {
    operation.hidden = !words.every((word) => texts.get(operation).includes(word));
    entryOf(operation)?.toggleAttribute("hidden", operation.hidden);
    found += !operation.hidden;
  }
  line.textContent = words.length ? line.dataset.found.replace("NUMBER", inWords(found)) : "";
}

field.addEventListener("input", search);
addEventListener("hashchange", openNamed);
openNamed();
// A browser may bring back what was typed before.
search();
