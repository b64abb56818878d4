// @ts-check
// What the modules of the product's page share: its form, what was touched in it, and how news are brought in.

import { send } from "./requests.js";

/** @type {any} */
const htmx = () => /** @type {any} */ (window).htmx;

/** @param {string} id @returns {HTMLElement | null} */
export const byId = (id) => document.getElementById(id);

/** The form that everything on the page belongs to. @returns {HTMLFormElement} */
export const review = () => /** @type {HTMLFormElement} */ (byId("review"));

/** Ids of the controls that the person touched since they were saved last. @type {Set<string>} */
export const changed = new Set();

/** @typedef {HTMLInputElement | HTMLSelectElement} Control */

/** @param {Element | null} element @returns {element is Control} */
export function isControl(element) {
  return element instanceof HTMLInputElement || element instanceof HTMLSelectElement;
}

/** @returns {boolean} whether something would be lost by leaving */
export const unsaved = () => review().hasAttribute("data-changed");

/** Note that a control was touched. @param {Control} control */
export function touch(control) {
  changed.add(control.id);
  review().dataset.changed = "";
}

/** What the form sends of a control: text, code, or whether it is ticked. @param {Control} control */
export function said(control) {
  const ticks = control instanceof HTMLInputElement && (control.type === "radio" || control.type === "checkbox");
  return ticks ? String(control.checked) : control.value;
}

/** What was touched, and what it says. @returns {Map<string, string>} */
export function snapshot() {
  /** @type {Map<string, string>} */
  const all = new Map();
  for (const id of changed) {
    const control = byId(id);
    if (isControl(control)) all.set(id, said(control));
  }
  return all;
}

/** Forget what was saved; what was touched again meanwhile stays. @param {Map<string, string>} saved */
export function settle(saved) {
  for (const [id, value] of saved) {
    const control = byId(id);
    if (!isControl(control) || said(control) === value) changed.delete(id);
  }
  if (!changed.size) delete review().dataset.changed;
}

/** Bring every part of the page up to date, leaving alone what was touched. @returns {Promise<void>} */
export async function refresh() {
  const live = byId("live");
  if (!live) return;
  const focused = document.activeElement?.id ?? "";
  const url = new URL((live.getAttribute("hx-get") ?? "").replace(/&seen=[^&]*/, ""), window.location.href);
  for (const [name, value] of Object.entries(looksAt())) url.searchParams.set(name, value);
  const { data } = await send(url.pathname + url.search, { accept: "text/html" });
  htmx().trigger(byId("live"), "htmx:abort"); // an answer on its way would be older than this one
  keepPlace(() => htmx().swap("#live", data, { swapStyle: "outerHTML", settleDelay: 0 }));
  keepFocus(focused);
}

/** What the person reads stays where it is, whatever becomes longer or shorter above it. @param {() => void} change */
function keepPlace(change) {
  const top = (/** @type {string} */ id) => byId(id)?.getBoundingClientRect().top ?? Infinity;
  const read = ["images", "garments", "values", "history"].filter((id) => top(id) < window.innerHeight / 2).at(-1);
  const before = read ? top(read) : 0;
  change();
  if (read && window.scrollY > 0) window.scrollBy({ top: top(read) - before, behavior: "instant" });
}

/** The garment and the photo that the person looks at: news come for these, not for the saved ones. */
export function looksAt() {
  /** @type {Record<string, string>} */
  const query = {};
  const garment = /** @type {HTMLInputElement | null} */ (review().querySelector("[name=top_category]:checked"));
  if (garment && changed.has(garment.id)) query.top_category = garment.value;
  const photo = /** @type {HTMLElement | null} */ (document.querySelector(".strip a[aria-current]"));
  if (photo?.dataset.photo) query.photo = photo.dataset.photo.replace("photo-", "");
  return query;
}

/** What had the focus has it again, or what took its place; never nothing. @param {string} id */
export function keepFocus(id) {
  if (!id || (document.activeElement && document.activeElement !== document.body)) return;
  const next = byId(id) ?? byId("unpublish") ?? byId("save") ?? byId("restore") ?? byId("state");
  next?.focus({ preventScroll: true });
}
