// The tree of a response as one tab stop (WAI-ARIA tree pattern). Without this script it is a list with buttons.

const TYPING_MS = 700;
let typed = "";
let typedAt = 0;

// The line of an item: what is seen of it without the items below.
const line = (item) => item.querySelector(":scope > button, :scope > span, :scope > details > summary");
const details = (item) => item.querySelector(":scope > details");
const isOpen = (item) => Boolean(details(item)?.open);
const below = (item) => item.querySelector(":scope > details > ul")?.children ?? [];
const above = (item) => item.parentElement.closest("[role=treeitem]");

export function enhanceTree(tree) {
  tree.setAttribute("role", "tree");
  tree.setAttribute("aria-label", tree.dataset.tree);
  for (const group of tree.getElementsByTagName("ul")) group.setAttribute("role", "group");
  for (const item of tree.getElementsByTagName("li")) {
    item.setAttribute("role", "treeitem");
    item.tabIndex = -1;
  }
  for (const control of tree.querySelectorAll("button, summary")) control.tabIndex = -1;
  for (const node of tree.getElementsByTagName("details")) {
    node.parentElement.setAttribute("aria-expanded", node.open);
    // Otherwise its name would be all that is below it.
    node.parentElement.setAttribute("aria-label", node.firstElementChild.textContent.trim());
  }
  tree.firstElementChild.tabIndex = 0;
}

function focus(item) {
  if (!item) return;
  item.focus({ preventScroll: true });
  line(item).scrollIntoView({ block: "nearest", inline: "nearest" });
}

function next(item) {
  if (isOpen(item) && below(item).length) return below(item)[0];
  for (let at = item; at; at = above(at)) if (at.nextElementSibling) return at.nextElementSibling;
  return null;
}

function last(item) {
  let at = item;
  while (isOpen(at) && below(at).length) at = below(at)[below(at).length - 1];
  return at;
}

const previous = (item) => (item.previousElementSibling ? last(item.previousElementSibling) : above(item));

function toggle(item, opens = !isOpen(item)) {
  if (details(item)) details(item).open = opens;
}

// The next item whose line begins with what was typed; a single letter again finds the one after it.
function typeAhead(tree, item, letter) {
  const now = Date.now();
  typed = now - typedAt < TYPING_MS && typed !== letter ? typed + letter : letter;
  typedAt = now;
  const begins = (at) => {
    const key = line(at).querySelector("bdi")?.textContent ?? "";
    return key.toLowerCase().startsWith(typed.toLowerCase());
  };
  let at = typed.length > 1 ? item : (next(item) ?? tree.firstElementChild);
  const first = at;
  do {
    if (begins(at)) return at;
    at = next(at) ?? tree.firstElementChild;
  } while (at !== first);
  return null;
}

const KEYS = {
  ArrowDown: (item) => focus(next(item)),
  ArrowUp: (item) => focus(previous(item)),
  ArrowRight: (item) => (details(item) && !isOpen(item) ? toggle(item, true) : focus(below(item)[0])),
  ArrowLeft: (item) => (isOpen(item) ? toggle(item, false) : focus(above(item))),
  Home: (item, tree) => focus(tree.firstElementChild),
  End: (item, tree) => focus(last(tree.lastElementChild)),
  "*": (item) => {
    for (const sibling of item.parentElement.children) toggle(sibling, true);
  },
  Enter: (item) => line(item).click(),
  " ": (item) => line(item).click(),
};

document.addEventListener("keydown", (event) => {
  const item = event.target.closest?.("[role=treeitem]");
  if (!item || event.ctrlKey || event.altKey || event.metaKey) return;
  const tree = item.closest("[role=tree]");
  if (KEYS[event.key]) {
    typed = "";
    KEYS[event.key](item, tree);
  } else if (event.key.length === 1) focus(typeAhead(tree, item, event.key));
  else return;
  event.preventDefault();
});

document.addEventListener("focusin", (event) => {
  const item = event.target.closest?.("[role=treeitem]");
  if (!item) return;
  for (const other of item.closest("[role=tree]").querySelectorAll("[tabindex='0']")) other.tabIndex = -1;
  item.tabIndex = 0;
});

// It does not bubble.
document.addEventListener(
  "toggle",
  ({ target }) => {
    const item = target.closest("[role=treeitem]");
    if (!item) return;
    item.setAttribute("aria-expanded", target.open);
    // The tab stop must be in sight.
    if (!target.open && target.querySelector("ul [tabindex='0']")) {
      const had = target.contains(document.activeElement);
      for (const other of target.querySelectorAll("ul [tabindex='0']")) other.tabIndex = -1;
      item.tabIndex = 0;
      if (had) focus(item);
    }
  },
  { capture: true },
);

// One button posts the value of each: htmx would need long for thousands.
document.addEventListener("click", (event) => {
  const button = event.target.closest(".response-tree [name=map]");
  const poster = document.getElementById("map-value");
  if (!button || !poster) return;
  event.preventDefault();
  poster.name = "map";
  poster.value = button.value;
  poster.click();
});
