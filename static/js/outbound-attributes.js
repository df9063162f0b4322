// Inserts attributes: typing / in a value, or the button beside it, opens a list of them
// (WAI-ARIA combobox pattern: the focus stays in the field, aria-activedescendant names the marked option).

let field = null;
let list = null;
let start = 0;

const attributes = () => [...document.querySelectorAll("#contact-fields option, #attribute-names option")];
const options = () => [...list.querySelectorAll("[role=option]")];

function close() {
  if (!list) return;
  list.remove();
  field.removeAttribute("aria-activedescendant");
  field.removeAttribute("aria-controls");
  if (field.matches("input")) field.setAttribute("aria-expanded", "false");
  list = null;
}

function mark(option) {
  for (const each of options()) each.setAttribute("aria-selected", each === option);
  if (option) {
    field.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  } else {
    field.removeAttribute("aria-activedescendant");
  }
}

function fill(word, marksFirst) {
  const found = attributes().filter((each) => each.value.toLowerCase().startsWith(word.toLowerCase()));
  const rows = found.map((each, number) => {
    const row = document.createElement("li");
    row.id = `attribute-${number}`;
    row.setAttribute("role", "option");
    row.dataset.name = each.value;
    row.textContent = each.value;
    const type = document.createElement("span");
    type.className = "soft";
    type.textContent = each.textContent;
    row.append(type);
    return row;
  });
  if (!rows.length) {
    const row = document.createElement("li");
    row.setAttribute("role", "option");
    row.setAttribute("aria-disabled", "true");
    row.id = "attribute-none";
    row.textContent = document.getElementById("no-attributes").content.textContent;
    rows.push(row);
  }
  list.replaceChildren(...rows);
  mark(marksFirst && found.length ? rows[0] : null);
}

// After a letter, a colon or another slash, as in application/json, Enter must not insert anything.
const standsAlone = () => !/[\w:/]/.test(field.value[start - 1] ?? " ");

function open(target, at) {
  close();
  field = target;
  start = at;
  list = document.createElement("ul");
  list.id = "attribute-choices";
  list.className = "choices";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", document.querySelector("[data-insert]").getAttribute("aria-label"));
  field.closest(".row__value").append(list);
  field.setAttribute("aria-controls", list.id);
  if (field.matches("input")) {
    field.setAttribute("role", "combobox");
    field.setAttribute("aria-expanded", "true");
  }
  field.setAttribute("aria-autocomplete", "list");
}

function insert(name) {
  if (!name) return;
  const end = field.selectionStart;
  field.setRangeText(`{{${name}}}`, start, end, "end");
  close();
  field.focus();
}

document.addEventListener("input", (event) => {
  if (!event.target.matches("[data-attributes]")) return;
  const at = event.target.selectionStart;
  if (event.data === "/") {
    open(event.target, at - 1);
    fill("", standsAlone());
  } else if (list && field === event.target) {
    const word = field.value.slice(start, at).replace(/^\//, "");
    if (at < start || /\W/.test(word)) close();
    else fill(word, standsAlone());
  }
});

document.addEventListener("keydown", (event) => {
  if (!list || event.target !== field) return;
  // Sends the call, and inserts nothing.
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    close();
    return;
  }
  const rows = options().filter((row) => row.dataset.name);
  const at = rows.findIndex((row) => row.getAttribute("aria-selected") === "true");
  if (event.key === "Escape" || event.key === "Tab") {
    close();
    if (event.key === "Escape") event.preventDefault();
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    const step = event.key === "ArrowDown" ? 1 : -1;
    if (rows.length) mark(rows[at < 0 ? (step > 0 ? 0 : rows.length - 1) : (at + step + rows.length) % rows.length]);
  } else if (event.key === "Enter" && at >= 0) {
    event.preventDefault();
    insert(rows[at].dataset.name);
  }
});

// A pressed option must not take the focus from the field.
document.addEventListener("mousedown", (event) => {
  if (event.target.closest("#attribute-choices")) event.preventDefault();
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-insert]");
  const row = event.target.closest("#attribute-choices [role=option]");
  if (row) {
    insert(row.dataset.name);
  } else if (button) {
    const target = document.getElementById(button.dataset.insert);
    target.focus();
    open(target, target.selectionStart);
    fill("", true);
  } else if (list && event.target !== field) {
    close();
  }
});

document.addEventListener("focusout", (event) => {
  if (list && event.target === field) close();
});

// Sets the type of an attribute that exists already.
document.addEventListener("change", (event) => {
  if (!event.target.name?.endsWith("-attribute")) return;
  const named = event.target.value.trim().toLowerCase();
  const known = attributes().find((each) => each.dataset.type && each.value.toLowerCase() === named);
  if (known) event.target.closest(".row").querySelector("select").value = known.dataset.type;
});
