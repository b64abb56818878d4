// @ts-check
// The garment and the values of a product: chosen, confirmed where the model doubts, and looked ahead at.

import * as combobox from "./combobox.js";
import { clearFailure, showFailure } from "./failures.js";
import { markChosen } from "./product_photos.js";
import { byId, changed, isControl, review, touch } from "./product_state.js";
import { Failed, send } from "./requests.js";

/** Trousers have no sleeves: hide the attributes that the chosen category's top-level category does not have. */
export function hideWhatDoesNotApply() {
  const category = /** @type {HTMLOptionElement | null} */ (document.querySelector("#value-category option:checked"));
  const level = category?.dataset.level || category?.value; // a top-level category may itself be a category
  for (const field of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".value-field"))) {
    const levels = field.dataset.applies;
    const hidden = Boolean(level && levels && !levels.split(" ").includes(level));
    field.hidden = hidden;
    const select = field.querySelector("select");
    if (!select) continue;
    select.disabled = hidden;
    combobox.refresh(select);
  }
}

/** What is said of one value is shown beside that one only, and what leads to a value beside all others. @param {Element} control */
export function showProposal(control) {
  if (!(control instanceof HTMLSelectElement)) return;
  for (const one of /** @type {NodeListOf<HTMLElement>} */ (
    control.closest(".value-field")?.querySelectorAll("[data-of], [data-beside]") ?? [])) {
    const { of, beside } = one.dataset;
    one.hidden = of !== undefined ? of !== control.value : beside === control.value;
  }
  const attribute = control.closest(".value-field")?.getAttribute("data-attribute");
  const cells = document.querySelectorAll(`.garment:has(:checked) [data-cell="${attribute}"]`);
  for (const cell of /** @type {NodeListOf<HTMLElement>} */ (cells)) cell.hidden = cell.dataset.value !== control.value;
}

/** Make the fields ready that are new on the page. */
export function prepareFields() {
  combobox.enhanceAll(review());
  hideWhatDoesNotApply();
  markChosen();
}

/** The box by which the person confirms what the model doubts. @param {Element} control @returns {HTMLInputElement | null} */
function confirmation(control) {
  return control.closest(".value-field")?.querySelector(".look input") ?? null;
}

/** @param {HTMLInputElement} box @param {boolean} checked */
function confirm(box, checked) {
  box.checked = checked;
  touch(box);
}

document.addEventListener("change", (event) => {
  const control = /** @type {Element} */ (event.target);
  if (!isControl(control) || control.form !== review() || !control.id) return;
  if (control instanceof HTMLInputElement && control.name === "top_category") {
    chooseGarment(control);
    return;
  }
  touch(control);
  showProposal(control);
  if (control.id === "value-category") hideWhatDoesNotApply();
  // A person who came to the doubtful value by way of the others has looked at it.
  const box = control instanceof HTMLSelectElement ? confirmation(control) : null;
  if (box && box.value === control.value) confirm(box, true);
});

document.addEventListener("input", (event) => {
  const control = /** @type {Element} */ (event.target);
  if (isControl(control) && control.form === review() && control.classList.contains("in-place")) touch(control);
});

// The same value chosen again in the list is a look at it, too.
document.addEventListener("confirm", (event) => {
  const control = /** @type {HTMLSelectElement} */ (event.target);
  const box = confirmation(control);
  if (box && box.value === control.value) confirm(box, true);
});

document.addEventListener("click", (event) => {
  const chip = /** @type {Element} */ (event.target).closest("[data-choose]");
  if (!(chip instanceof HTMLElement)) return;
  const select = /** @type {HTMLSelectElement} */ (byId(chip.dataset.for ?? ""));
  select.value = chip.dataset.choose ?? "";
  select.dispatchEvent(new Event("change", { bubbles: true }));
  (byId(`${select.id}-input`) ?? select).focus(); // the chip itself is gone
});

/** The fields that still wait for a look. @returns {HTMLInputElement[]} */
export function unconfirmed() {
  const boxes = /** @type {NodeListOf<HTMLInputElement>} */ (review().querySelectorAll(".look:not([hidden]) input"));
  return [...boxes].filter((box) => !box.checked && !box.closest("[hidden]"));
}

// Enter confirms and goes on to the next doubtful value; in a check box it would save the form.
document.addEventListener("keydown", (event) => {
  const box = event.target;
  if (!(box instanceof HTMLInputElement) || !box.closest(".look") || event.key !== "Enter" || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  confirm(box, true);
  unconfirmed()[0]?.focus();
});

// --- Another garment ------------------------------------------------------------------------------------------------

/** @type {Promise<void>} resolves when the values on the page are those of the garment that is chosen */
let arriving = Promise.resolve();
let asked = 0;
/** The garment whose values the page shows. @type {string} */
let shownGarment = chosenId();

function chosenId() {
  return review().querySelector("[name=top_category]:checked")?.id ?? "";
}

/** @returns {Promise<void>} */
export const valuesArrived = () => arriving;

/** What the page shows was brought by the server: the garment that is chosen is the one whose values are there. */
export function noteGarment() {
  shownGarment = chosenId();
}

/** Values that are about to be replaced are not to be chosen from. @param {boolean} busy */
function wait(busy) {
  const fields = /** @type {HTMLFieldSetElement | null} */ (byId("values"));
  if (!fields) return;
  fields.disabled = busy;
  fields.setAttribute("aria-busy", String(busy));
}

/** @param {HTMLInputElement} radio */
function chooseGarment(radio) {
  arriving = bringValues(radio);
}

/** Bring another garment's values. If that fails the garment before is chosen again: what is sent is what is shown. @param {HTMLInputElement} radio */
async function bringValues(radio) {
  const number = (asked += 1);
  const place = /** @type {HTMLElement} */ (byId("garments"));
  clearFailure(place);
  markChosen();
  wait(true);
  const url = `${review().dataset.values}?top_category=${encodeURIComponent(radio.value)}`;
  try {
    const { data } = await send(url, { accept: "text/html" });
    if (number !== asked) return;
    const fields = new DOMParser().parseFromString(data, "text/html").getElementById("values");
    if (!fields) return;
    byId("values")?.replaceWith(document.importNode(fields, true));
    // What was touched before belonged to the other garment.
    for (const id of [...changed]) if (/^(value|looked)-/.test(id)) changed.delete(id);
    touch(radio);
    noteGarment();
    prepareFields();
  } catch (failed) {
    if (number !== asked || !(failed instanceof Failed)) return;
    wait(false);
    const before = byId(shownGarment);
    if (before instanceof HTMLInputElement) before.checked = true;
    else radio.checked = false;
    markChosen();
    showFailure(place, failed, () => {
      const again = byId(radio.id);
      if (!(again instanceof HTMLInputElement)) return;
      again.checked = true;
      chooseGarment(again);
      again.focus();
    });
  }
}
