// Parts that fill themselves in: each asks for itself anew while the page is open and visible, and at once when
// something has happened on the page.

const SECONDS = 15;

// What has taken its place meanwhile is newer than the answer.
function dropIfGone(event) {
  if (!event.currentTarget.isConnected) event.preventDefault();
}

export function fillIn() {
  if (document.hidden) return;
  for (const part of document.querySelectorAll("[data-fill-in][data-hx-get]")) {
    part.addEventListener("htmx:beforeOnLoad", dropIfGone);
    htmx.trigger(part, "fill-in");
  }
}

setInterval(fillIn, SECONDS * 1000);
document.addEventListener("visibilitychange", fillIn);

// The page notes for the server that a button has copied something.
document.addEventListener("copied", ({ target }) => {
  const noted = document.getElementById(`${target.id}-copied`);
  if (noted) noted.checked = true;
  fillIn();
});

// What a person did by a form may have changed something.
document.addEventListener("htmx:afterSettle", ({ detail }) => {
  if (detail.requestConfig?.verb === "post") fillIn();
});

const unfolded = () => document.querySelector("[data-fill-in] details");
let isUnfolded = false;

document.addEventListener("htmx:beforeSwap", () => {
  isUnfolded = Boolean(unfolded()?.open);
});
document.addEventListener("htmx:afterSwap", () => {
  if (unfolded()) unfolded().open = isUnfolded;
});

// Nobody asked, so a failure is not shown: the next time may succeed.
for (const failure of ["htmx:responseError", "htmx:sendError"]) {
  document.addEventListener(
    failure,
    (event) => {
      if ("fillIn" in event.target.dataset) event.stopPropagation();
    },
    { capture: true },
  );
}
