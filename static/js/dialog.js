// Dialogs: opens each one that htmx fills with a question.

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.matches("dialog")) event.detail.target.showModal();
});

// Without the question, the browser submits the form itself and shows what went wrong.
for (const failure of ["htmx:responseError", "htmx:sendError"]) {
  document.addEventListener(failure, (event) => {
    if (event.detail.target.matches("dialog")) event.detail.elt.submit();
  });
}
