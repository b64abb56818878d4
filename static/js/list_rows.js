// @ts-check
// Putting a row of the list in the place of an older one, so that nobody notices but by what has changed.

/**
 * @param {HTMLElement} row
 * @param {string} html
 * @returns {HTMLElement} the row that is there now
 */
export function replaceRow(row, html) {
  const template = document.createElement("template");
  template.innerHTML = html.trim();
  const fresh = /** @type {HTMLElement} */ (template.content.firstElementChild);
  const box = /** @type {HTMLInputElement | null} */ (row.querySelector("[data-pick]"));
  const newBox = /** @type {HTMLInputElement | null} */ (fresh.querySelector("[data-pick]"));
  if (box && newBox) {
    newBox.checked = box.checked;
    if ("picked" in row.dataset) fresh.dataset.picked = row.dataset.picked;
  }
  const focused = row.contains(document.activeElement) ? where(/** @type {HTMLElement} */ (document.activeElement)) : "";
  row.replaceWith(fresh);
  if (focused) /** @type {HTMLElement | null} */ (fresh.querySelector(focused))?.focus({ preventScroll: true });
  return fresh;
}

/** What finds the same control in another version of the row. @param {HTMLElement} element */
function where(element) {
  if (element.dataset.edit) return `[data-edit="${CSS.escape(element.dataset.edit)}"]`;
  if ("pick" in element.dataset) return "[data-pick]";
  return element.classList.contains("title") ? "a.title" : "";
}
