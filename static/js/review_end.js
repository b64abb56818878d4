// @ts-check
// What the review shows where there is no product: it is fetching, it could not, or everything is done.

const stage = /** @type {HTMLElement} */ (document.getElementById("review-items"));
const end = /** @type {HTMLElement} */ (document.querySelector("[data-end]"));

function clear() {
  stage.querySelector(".review-loading, .review-failed")?.remove();
  stage.setAttribute("aria-busy", "false");
}

export function isEnd() {
  return !end.hidden;
}

export function showWaiting() {
  stage.setAttribute("aria-busy", "true");
}

export function showProduct() {
  clear();
  end.hidden = true;
}

/** @param {string} why */
export function showFetchFailed(why) {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById("review-failed"));
  const section = /** @type {HTMLElement} */ (document.importNode(template.content, true).firstElementChild);
  /** @type {HTMLElement} */ (section.querySelector("[data-why]")).textContent = why;
  clear();
  stage.append(section);
}

/** @param {number} done @param {number} skipped */
export function showEnd(done, skipped) {
  clear();
  const title = /** @type {HTMLElement} */ (end.querySelector("h2"));
  title.textContent = (skipped ? title.dataset.titleSkipped : done ? title.dataset.titleDone : title.dataset.titleNone) ?? "";
  const numbers = { none: done || skipped ? 0 : 1, done, skipped };
  for (const one of end.querySelectorAll("[data-when]")) {
    const part = /** @type {HTMLElement} */ (one);
    const number = numbers[/** @type {keyof typeof numbers} */ (part.dataset.when)];
    part.hidden = !number;
    if (part.dataset.text) part.textContent = part.dataset.text.replace("{n}", String(number));
  }
  end.hidden = false;
  title.focus();
}
