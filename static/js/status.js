// Status lines. The server puts their sentences into data attributes, translated; any other text is written as it is.

export function say(line, sentence, isGood = false) {
  line.textContent = line.dataset[sentence] ?? sentence;
  line.toggleAttribute("data-good", isGood);
}
