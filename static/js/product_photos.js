// @ts-check
// The photos of a product: the strip shows one large, a garment that is pointed at is lit in all of them. What draws
// on them listens to "photo-shown" on the document (detail: the figure), and sends "images-added" for news.

import { byId, review } from "./product_state.js";

/** @param {HTMLAnchorElement} link */
function show(link) {
  for (const other of /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll(".strip a"))) {
    const shown = other === link;
    if (shown) other.setAttribute("aria-current", "true");
    else other.removeAttribute("aria-current");
    const figure = byId(other.dataset.photo ?? "");
    if (!figure) continue;
    figure.hidden = !shown;
    if (shown) document.dispatchEvent(new CustomEvent("photo-shown", { detail: figure }));
  }
  link.scrollIntoView({ block: "nearest", inline: "nearest" });
}

document.addEventListener("click", (event) => {
  const link = /** @type {Element} */ (event.target).closest(".strip a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  show(/** @type {HTMLAnchorElement} */ (link));
});

document.addEventListener("keydown", (event) => {
  const item = /** @type {Element} */ (event.target).closest?.(".strip li");
  if (!item || (event.key !== "ArrowLeft" && event.key !== "ArrowRight")) return;
  const next = event.key === "ArrowLeft" ? item.previousElementSibling : item.nextElementSibling;
  const link = next?.querySelector("a");
  if (!link) return;
  event.preventDefault();
  link.focus();
  show(link);
});

/** The number of a garment's row that the event happened in. @param {Event} event */
function rowOf(event) {
  const row = event.target instanceof Element ? event.target.closest("label.garment") : null;
  return row instanceof HTMLElement ? row.dataset.garment ?? "" : "";
}

/** Light one garment in every photo; '' for none. @param {string} number */
function light(number) {
  for (const mark of /** @type {NodeListOf<SVGElement>} */ (document.querySelectorAll(".boxes [data-garment]"))) {
    mark.classList.toggle("lit", Boolean(number) && mark.dataset.garment === number);
  }
}

document.addEventListener("pointerover", (event) => light(rowOf(event)));
document.addEventListener("focusin", (event) => {
  if (event.target instanceof HTMLElement && event.target.matches(":focus-visible")) light(rowOf(event));
});
document.addEventListener("focusout", (event) => { if (rowOf(event)) light(""); });

/** Mark the boxes of the garment that is chosen. */
export function markChosen() {
  const chosen = /** @type {HTMLElement | null | undefined} */ (
    review().querySelector("[name=top_category]:checked")?.closest(".garment"));
  for (const mark of /** @type {NodeListOf<SVGElement>} */ (document.querySelectorAll(".boxes .box"))) {
    mark.classList.toggle("chosen", Boolean(chosen?.dataset.garment) && mark.dataset.garment === chosen?.dataset.garment);
  }
}
