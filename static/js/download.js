// Saves a list of the page as a text file. No URL ever serves its contents.

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-download]");
  if (!button) return;
  const lines = [...document.querySelectorAll(`${button.dataset.download} > li`)].map((item) => item.textContent.trim());
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([`${lines.join("\n")}\n`], { type: "text/plain" }));
  link.download = button.dataset.filename;
  link.click();
  URL.revokeObjectURL(link.href);
});
