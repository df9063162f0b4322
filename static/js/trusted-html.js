// Trusted Types: only text that htmx has just received from the server becomes elements. The browser refuses any other
// text that reaches innerHTML or the like. Runs before htmx.

const WRAPPER = ['<body><template class="internal-htmx-wrapper">', "</template></body>"];
const received = new Set();

// htmx puts a wrapper around a fragment before it parses it, but not around a whole page.
addEventListener(
  "htmx:beforeSwap",
  (event) => {
    const text = event.detail.serverResponse;
    received.clear();
    received.add(text).add(WRAPPER.join(text));
  },
  { capture: true },
);

window.trustedTypes?.createPolicy("default", { createHTML: (text) => (received.has(text) ? text : null) });
