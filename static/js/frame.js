// @ts-check
// What every page does: menus that close, the theme without reloading, the server's messages as toasts.

import { adopt } from "./toast.js";

/** @returns {HTMLDetailsElement[]} */
const opened = () => [...document.querySelectorAll("details:is(.menu, .confirm)[open]")].map((menu) => /** @type {HTMLDetailsElement} */ (menu));

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of opened()) {
    if (menu.contains(document.activeElement)) menu.querySelector("summary")?.focus();
    menu.open = false;
  }
});

document.addEventListener("click", (event) => {
  for (const menu of opened()) {
    if (event.target instanceof Node && !menu.contains(event.target)) menu.open = false;
  }
});

// --- Theme ----------------------------------------------------------------------------------------------------------
// The cookie is what the server writes the next page with, so that no page flashes in the other theme first.

document.addEventListener("submit", (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (!form.matches("[data-themes]") || !(event.submitter instanceof HTMLButtonElement)) return;
  event.preventDefault();
  const theme = event.submitter.value;
  document.cookie = `theme=${theme}; path=/; max-age=${theme ? 31536000 : 0}; samesite=lax`;
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  document.querySelector("meta[name=color-scheme]")?.setAttribute("content", theme || "light dark");
  for (const button of form.querySelectorAll("button")) {
    if (button === event.submitter) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  }
});

adopt();
