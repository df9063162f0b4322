// The errors of the editor's fields, which a test sends as data: the fields themselves, the focus and the scroll stay.

const errorOf = (field) => document.getElementById(`${field.id}_error`);

// The words of aria-describedby, with or without the error of a field.
function describe(field, hasError) {
  const words = (field.getAttribute("aria-describedby") ?? "").split(" ").filter((word) => word && word !== `${field.id}_error`);
  if (hasError) words.push(`${field.id}_error`);
  if (words.length) field.setAttribute("aria-describedby", words.join(" "));
  else field.removeAttribute("aria-describedby");
}

function mark(field, sentence) {
  let error = errorOf(field);
  if (!error) {
    error = document.createElement("p");
    error.className = "field__error";
    error.id = `${field.id}_error`;
    field.closest(".field, .checkbox").append(error);
  }
  error.textContent = sentence;
  field.setAttribute("aria-invalid", "true");
  describe(field, true);
}

function unmark(field) {
  errorOf(field)?.remove();
  field.removeAttribute("aria-invalid");
  describe(field, false);
}

// A test needs no name, so it does not say whether what Save found wrong with it still holds.
const stillHolds = (field) => field.name === "name" && field.value === field.defaultValue;

export function showProblems(form, { errors, first, part }) {
  for (const field of form.querySelectorAll("[aria-invalid=true]")) {
    if (!(field.id in errors) && !stillHolds(field)) unmark(field);
  }
  for (const [id, sentence] of Object.entries(errors)) {
    const field = document.getElementById(id);
    if (field?.closest(".field, .checkbox")) mark(field, sentence);
  }
  const wrong = document.getElementById(first);
  if (!wrong) return;
  if (wrong.closest("[data-part]")) document.dispatchEvent(new CustomEvent("editor:open", { detail: part }));
  wrong.focus();
}
