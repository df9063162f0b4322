// Questions: what htmx puts into a dialog is asked at once.

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.matches("dialog")) event.detail.target.showModal();
});

// Where the question does not come, the form goes the plain way, and the browser says why.
for (const failure of ["htmx:responseError", "htmx:sendError"]) {
  document.addEventListener(failure, (event) => {
    if (!event.detail.xhr.getResponseHeader("HX-Redirect")) event.detail.elt.closest("form")?.submit();
  });
}
