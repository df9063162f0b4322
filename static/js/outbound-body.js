// Numbers the lines of a body: its errors name a line.

function write(text) {
  const numbers = text.previousElementSibling;
  const count = text.value.split("\n").length;
  if (numbers.dataset.count === String(count)) return;
  numbers.dataset.count = count;
  numbers.textContent = Array.from({ length: count }, (_, index) => index + 1).join("\n");
}

function enhance() {
  for (const text of document.querySelectorAll("textarea[data-lines]")) {
    if (text.parentElement.matches(".lines")) continue;
    const hasFocus = text === document.activeElement;
    const box = document.createElement("div");
    const numbers = document.createElement("div");
    box.className = "lines";
    box.dir = "ltr";
    numbers.className = "lines__numbers";
    numbers.ariaHidden = "true";
    text.before(box);
    box.append(numbers, text);
    if (hasFocus) text.focus();
    write(text);
  }
}

document.addEventListener("input", (event) => {
  if (event.target.matches("textarea[data-lines]")) write(event.target);
});

// Scrolling does not bubble.
document.addEventListener(
  "scroll",
  ({ target }) => {
    if (target !== document && target.matches("textarea[data-lines]")) target.previousElementSibling.scrollTop = target.scrollTop;
  },
  true,
);

document.addEventListener("htmx:afterSwap", enhance);
enhance();
