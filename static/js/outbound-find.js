// Finding a text in the pane that is open. The matches are painted, so that nothing in the page changes.

import { inWords } from "./numbers.js";

const MOST_FOUND = 100_000;
// Painted on each side of the match that has been reached.
const MOST_PAINTED = 1_000;
// Below a match, to the end of the window.
const MARGIN_PX = 32;
const NOT_SEARCHED = ".visually-hidden, [aria-hidden], .find, .pane__head, .pane__hint, [hidden]";
const BLOCK = "li, summary, dt, dd, p, pre, h2, h3";
const texts = new WeakMap();
let found = [];
let at = 0;

const field = () => document.querySelector("[data-find-text]");

function searched() {
  const exchange = field().closest(".exchange");
  return exchange.querySelector("[role=tabpanel][data-current]") ?? exchange;
}

// The text of a pane, a line for each block, and where each of its text nodes begins.
function textOf(root) {
  if (texts.has(root)) return texts.get(root);
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const nodes = [];
  const starts = [];
  let text = "";
  let block = null;
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (node.parentElement.closest(NOT_SEARCHED)) continue;
    const around = node.parentElement.closest(BLOCK);
    if (around !== block) text += "\n";
    block = around;
    nodes.push(node);
    starts.push(text.length);
    text += node.data;
  }
  texts.set(root, { text, nodes, starts });
  return texts.get(root);
}

function place({ nodes, starts }, offset) {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (starts[middle] <= offset) low = middle;
    else high = middle - 1;
  }
  return [nodes[low], Math.min(offset - starts[low], nodes[low].length)];
}

function rangeOf(pane, [start, end]) {
  const [startContainer, startOffset] = place(pane, start);
  const [endContainer, endOffset] = place(pane, end - 1);
  return { startContainer, startOffset, endContainer, endOffset: endOffset + 1 };
}

function paint(pane) {
  if (!CSS.highlights) return;
  CSS.highlights.delete("found");
  CSS.highlights.delete("found-now");
  if (!found.length) return;
  const near = found.slice(Math.max(at - MOST_PAINTED, 0), at + MOST_PAINTED);
  CSS.highlights.set("found", new Highlight(...near.map((match) => new StaticRange(rangeOf(pane, match)))));
  CSS.highlights.set("found-now", new Highlight(new StaticRange(rangeOf(pane, found[at]))));
  CSS.highlights.get("found-now").priority = 1;
}

function reveal(pane) {
  const { startContainer, startOffset, endContainer, endOffset } = rangeOf(pane, found[at]);
  const start = startContainer.parentElement;
  // What stands in a summary is seen while its details are closed.
  let closed = (start.closest("summary")?.parentElement ?? start).parentElement.closest("details");
  for (; closed; closed = closed.parentElement.closest("details")) closed.open = true;
  const range = document.createRange();
  range.setStart(startContainer, startOffset);
  range.setEnd(endContainer, endOffset);
  if (!CSS.highlights) {
    getSelection().removeAllRanges();
    getSelection().addRange(range);
  }
  const box = start.closest(".raw, .response-tree, .log__body");
  if (box) {
    const [inner, outer] = [range.getBoundingClientRect(), box.getBoundingClientRect()];
    if (inner.top < outer.top || inner.bottom > outer.bottom) box.scrollTop += inner.top - outer.top - outer.height / 3;
    if (inner.left < outer.left || inner.right > outer.right) box.scrollLeft += inner.left - outer.left - outer.width / 3;
  }
  // As little as possible, so that the field stays in sight.
  const shown = range.getBoundingClientRect();
  const [top, bottom] = [parseFloat(getComputedStyle(document.documentElement).scrollPaddingTop) || 0, innerHeight - MARGIN_PX];
  if (shown.bottom > bottom) scrollBy({ top: shown.bottom - bottom });
  else if (shown.top < top) scrollBy({ top: shown.top - top });
}

function report() {
  const line = document.getElementById("find-count");
  if (!field().value) line.textContent = "";
  else if (!found.length) line.textContent = line.dataset.none;
  else {
    const text = found.length < MOST_FOUND ? line.dataset.count : line.dataset.countMany;
    line.textContent = text.replace("{number}", inWords(at + 1)).replace("{all}", inWords(found.length));
  }
}

function show(moves) {
  const pane = found.length ? textOf(searched()) : null;
  if (pane && moves) reveal(pane);
  paint(pane);
  report();
}

function find(moves) {
  found = [];
  at = 0;
  const { value } = field();
  if (value) {
    const pattern = new RegExp(value.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"), "giu");
    for (const match of textOf(searched()).text.matchAll(pattern)) {
      found.push([match.index, match.index + match[0].length]);
      if (found.length === MOST_FOUND) break;
    }
  }
  show(moves);
}

function step(by) {
  if (!found.length) return;
  at = (at + by + found.length) % found.length;
  show(true);
}

// Another pane is open, or another response is shown: perhaps after somebody began to type.
export function findAgain() {
  if (field()) find(field() === document.activeElement);
}

// The field is part of the editor's form, but not of the call: no other script needs to hear of it.
document.addEventListener(
  "input",
  (event) => {
    if (!event.target.matches?.("[data-find-text]")) return;
    event.stopPropagation();
    find(true);
  },
  { capture: true },
);

document.addEventListener(
  "keydown",
  (event) => {
    if (!event.target.matches?.("[data-find-text]") || event.ctrlKey || event.metaKey || event.isComposing) return;
    if (event.key === "Enter") step(event.shiftKey ? -1 : 1);
    else if (event.key === "Escape") {
      event.target.value = "";
      find(false);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  },
  { capture: true },
);

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-find-step]");
  if (button) step(Number(button.dataset.findStep));
});
