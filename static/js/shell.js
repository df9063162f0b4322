// The frame of the pages: what unfolds, the sidebar, and pages from the back-forward cache.

const YEAR = 365 * 24 * 60 * 60;
const isWide = matchMedia("(min-width: 60rem)");

// A cookie: the server renders the sidebar as it was, and nothing jumps.
function remember(isCollapsed) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  const age = isCollapsed ? YEAR : 0;
  document.cookie = `sidebar=collapsed; Path=/; SameSite=Lax; Max-Age=${age}${secure}`;
}

// A collapsed sidebar hides the words: its rows show them as tooltips.
function nameRows(isCollapsed) {
  for (const row of document.querySelectorAll(".navigation__create, .navigation__row")) {
    row.title = isCollapsed ? row.textContent.trim() : "";
  }
}

function collapse(button) {
  const isCollapsed = document.body.classList.toggle("shell--collapsed");
  button.setAttribute("aria-pressed", isCollapsed);
  nameRows(isCollapsed);
  remember(isCollapsed);
}

function toggle(button) {
  button.setAttribute("aria-expanded", button.getAttribute("aria-expanded") !== "true");
}

document.addEventListener("click", (event) => {
  const button = event.target.closest(".shell__collapse, .shell__header [aria-expanded]");
  if (button?.matches(".shell__collapse")) {
    collapse(button);
  } else if (button) {
    toggle(button);
  }
});

document.addEventListener("keydown", (event) => {
  const menu = document.querySelector('.shell__menu[aria-expanded="true"]');
  if (event.key === "Escape" && menu && !isWide.matches && event.target.closest(".shell__header")) {
    toggle(menu);
    menu.focus();
  }
});

// A page from the back-forward cache may belong to someone who has logged out since.
addEventListener("pageshow", (event) => {
  if (event.persisted) {
    location.reload();
  }
});

nameRows(document.body.classList.contains("shell--collapsed"));
