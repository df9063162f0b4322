// Trusted Types: text becomes elements only where it is what the server has just answered to htmx.
// Runs before htmx. Whatever else reaches innerHTML or its like is refused by the browser.

const WRAPPER = ['<body><template class="internal-htmx-wrapper">', "</template></body>"];
const answered = new Set();

// A fragment is parsed in the wrapper that htmx puts around it, a whole page as it is.
addEventListener(
  "htmx:beforeSwap",
  (event) => {
    const text = event.detail.serverResponse;
    answered.clear();
    answered.add(text).add(WRAPPER.join(text));
  },
  { capture: true },
);

window.trustedTypes?.createPolicy("default", { createHTML: (text) => (answered.has(text) ? text : null) });
