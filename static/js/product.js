// @ts-check
// The product's page: news from the models that leave alone what a person is doing. Its parts are in product_*.js.

import "./product_photos.js";
import "./product_save.js";

import { showFailure } from "./failures.js";
import { byId, changed, isControl, keepFocus, looksAt, refresh, review, said } from "./product_state.js";
import { hideWhatDoesNotApply, noteGarment, prepareFields, showProposal } from "./product_values.js";
import { Failed } from "./requests.js";

prepareFields();

// A refusal brings the page again with what was chosen: none of it is saved yet.
if (review().hasAttribute("data-changed")) {
  for (const control of review().elements) if (isControl(control) && control.id && control.type !== "hidden") changed.add(control.id);
}

document.addEventListener("images-added", async () => {
  try {
    await refresh();
  } catch (failed) {
    if (failed instanceof Failed) showFailure(/** @type {HTMLElement} */ (byId("images")), failed, () => document.dispatchEvent(new Event("images-added")));
  }
});

document.addEventListener("htmx:configRequest", (event) => {
  const { detail } = /** @type {CustomEvent} */ (event);
  if (event.target === byId("live")) Object.assign(detail.parameters, looksAt());
});

// --- What a person is doing stays -----------------------------------------------------------------------------------

/** What was touched in a part that is about to be replaced. @type {Map<string, string>} */
let kept = new Map();
/** The "why?" that were open. @type {string[]} */
let opened = [];
let held = false;
let focused = "";

/** Whether somebody is choosing from a list right now, which replacing it would close. */
function isChoosing() {
  const active = document.activeElement;
  return review().contains(active) && (active?.tagName === "SELECT" || active?.getAttribute("aria-expanded") === "true");
}

document.addEventListener("htmx:oobBeforeSwap", (event) => {
  const { detail } = /** @type {CustomEvent} */ (event);
  const { target } = detail;
  if (target?.id !== "review" && target?.id !== "identity") return;
  if (target.id === "review" && isChoosing()) {
    detail.shouldSwap = false;
    held = true;
    return;
  }
  focused = document.activeElement?.id ?? "";
  opened = [...target.querySelectorAll("details[open] > summary")].map((summary) => summary.id);
  kept = new Map();
  for (const id of changed) {
    const control = byId(id);
    if (isControl(control) && (target.contains(control))) kept.set(id, said(control));
  }
});

/** @param {string} id @param {string} value */
function restore(id, value) {
  const control = byId(id);
  if (control instanceof HTMLSelectElement) {
    if ([...control.options].some((option) => option.value === value)) control.value = value;
    showProposal(control);
  } else if (control instanceof HTMLInputElement) {
    if (control.type === "radio" || control.type === "checkbox") control.checked = value === "true";
    else control.value = value;
  }
}

document.addEventListener("htmx:oobAfterSwap", (event) => {
  const { target } = /** @type {CustomEvent} */ (event).detail;
  if (target?.id !== "review" && target?.id !== "identity") return;
  for (const [id, value] of kept) restore(id, value);
  if (changed.size) review().dataset.changed = "";
  for (const id of opened) byId(id)?.closest("details")?.setAttribute("open", "");
  if (target.id === "review") {
    noteGarment();
    prepareFields();
    hideWhatDoesNotApply();
  }
  keepFocus(focused);
});

document.addEventListener("focusout", (event) => {
  if (!held || !(event.target instanceof HTMLElement) || !review().contains(event.target)) return;
  held = false;
  setTimeout(() => document.dispatchEvent(new Event("images-added")));
});
