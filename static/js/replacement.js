// Who has moved to the new token: asks for the list anew while the page is open and visible.

const SECONDS = 15;

function fillIn() {
  const list = document.querySelector("#movers[data-hx-get]");
  if (list && !document.hidden) htmx.trigger(list, "fill-in");
}

setInterval(fillIn, SECONDS * 1000);
document.addEventListener("visibilitychange", fillIn);

const others = () => document.querySelector(".movers__others");
let isUnfolded = false;

document.addEventListener("htmx:beforeSwap", () => {
  isUnfolded = Boolean(others()?.open);
});
document.addEventListener("htmx:afterSwap", () => {
  if (others()) others().open = isUnfolded;
});

// Nobody asked, so a failure is not shown: the next time may succeed.
for (const failure of ["htmx:responseError", "htmx:sendError"]) {
  document.addEventListener(
    failure,
    (event) => {
      if (event.target.id === "movers") event.stopPropagation();
    },
    { capture: true },
  );
}
