// @ts-check
// Saving a product without leaving its page: once, with everything that was typed, and nothing of it lost on the way.

import { clearFailure, showFailure } from "./failures.js";
import { byId, changed, isControl, keepFocus, refresh, review, settle, snapshot, unsaved } from "./product_state.js";
import { valuesArrived } from "./product_values.js";
import { Failed, send } from "./requests.js";
import { toast } from "./toast.js";

const texts = byId("product-texts")?.dataset ?? {};
/** @type {Promise<void> | null} */
let saving = null;

/** @returns {HTMLElement} */
const actions = () => /** @type {HTMLElement} */ (byId("actions"));

/** @param {string} text @param {string} [field] id of the control that it is about */
function refuse(text, field = "") {
  const control = byId(`${field}-input`) ?? byId(field);
  const line = control?.closest(".value-field");
  const place = byId("refusal");
  const words = place?.querySelector(".refusal-text");
  if (place && words) {
    place.hidden = !text;
    place.classList.toggle("visually-hidden", Boolean(line)); // its line says it to those who see
    words.textContent = text;
  }
  for (const control of document.querySelectorAll(".in-place[aria-invalid]")) control.removeAttribute("aria-invalid");
  for (const earlier of document.querySelectorAll(".value-field > .refusal")) earlier.remove();
  if (!field) return;
  if (control?.classList.contains("in-place")) control.setAttribute("aria-invalid", "true");
  control?.focus();
  if (line) sayBeside(line, text);
}

/**
 * Say it where the eye is: on a phone the page's head is far above. Screen readers have heard it from there.
 * @param {Element} line of a value @param {string} text
 */
function sayBeside(line, text) {
  const note = document.createElement("p");
  note.className = "refusal";
  note.textContent = text;
  line.append(note);
  note.scrollIntoView({ block: "nearest" });
  line.addEventListener("change", () => note.remove(), { once: true });
}

/** @param {boolean} busy */
function show(busy) {
  for (const button of actions().querySelectorAll("button")) button.setAttribute("aria-disabled", String(busy));
}

/** Save once, however often it is asked for. @param {HTMLButtonElement} button @returns {Promise<void>} */
function save(button) {
  saving ??= run(button).finally(() => { saving = null; });
  return saving;
}

/** @param {HTMLButtonElement} button */
async function run(button) {
  await valuesArrived();
  const { id, value } = button;
  refuse("");
  clearFailure(actions());
  const body = new FormData(review());
  body.delete("csrfmiddlewaretoken"); // logging in again changes it; `send` knows the one that counts
  body.set("action", value);
  const sent = snapshot();
  const focused = document.activeElement?.id || id;
  show(true);
  try {
    const { data } = await send(review().getAttribute("action") ?? "", { body }); // .action is its buttons, which have that name
    settle(sent);
    tell(data.message, data.undo);
    await bringNews();
    keepFocus(focused);
  } catch (failed) {
    if (!(failed instanceof Failed)) throw failed;
    await answer(failed, () => save(button));
  } finally {
    show(false);
  }
}

/** @param {Failed} failed @param {() => void} retry */
async function answer(failed, retry) {
  if (failed.code === "stale") {
    // The page says what it says now; everything that was chosen stays chosen.
    for (const control of review().elements) if (isControl(control) && control.id && control.type !== "hidden") changed.add(control.id);
    review().dataset.changed = "";
    await bringNews();
    refuse(`${failed.message} ${texts.stale ?? ""}`);
  } else if (failed.data?.field !== undefined) {
    refuse(failed.message, failed.data.field);
  } else {
    showFailure(actions(), failed, retry);
  }
}

/** Bring what is new; where that fails the page only stays as it was. */
async function bringNews() {
  try {
    await refresh();
  } catch (failed) {
    if (!(failed instanceof Failed)) throw failed;
    showFailure(actions(), failed, () => { bringNews(); });
  }
}

/** @param {string} text @param {{url: string, token: string} | null} [undo] */
function tell(text, undo = null) {
  toast(text, undo ? { undo: () => takeBack(undo.url, { token: undo.token }), undoLabel: texts.undo } : {});
}

/** @param {string} url @param {Record<string, string>} body */
async function takeBack(url, body) {
  const { data } = await send(url, { method: "POST", body });
  await bringNews();
  if (data?.message) toast(data.message);
}

document.addEventListener("submit", (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  const button = /** @type {HTMLButtonElement | null} */ (event.submitter) ?? /** @type {HTMLButtonElement} */ (byId("save"));
  if (form === review()) {
    event.preventDefault();
    save(button);
  } else if (form.hasAttribute("data-act")) {
    event.preventDefault();
    act(form, button);
  }
});

/** One of the page's smaller forms: do it, say it, and show what it changed. @param {HTMLFormElement} form @param {HTMLElement} button */
async function act(form, button) {
  const { putBack } = form.dataset;
  const { id } = button;
  clearFailure(form);
  const body = new FormData(form);
  body.delete("csrfmiddlewaretoken");
  try {
    const { data } = await send(form.getAttribute("action") ?? "", { body, method: "POST" });
    const undo = putBack ? { undo: () => takeBack(putBack, {}), undoLabel: texts.undo } : {};
    toast(data.message, undo);
    await bringNews();
    keepFocus(id || "state");
  } catch (failed) {
    if (!(failed instanceof Failed)) throw failed;
    showFailure(form, failed, () => act(form, button));
  }
}

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.repeat) return;
  const publish = document.querySelector("[aria-keyshortcuts]");
  if (!(publish instanceof HTMLButtonElement)) return;
  event.preventDefault();
  save(publish);
});

// --- Leaving, and coming back ---------------------------------------------------------------------------------------

window.addEventListener("beforeunload", (event) => {
  if (unsaved()) event.preventDefault();
});

// A page out of the browser's memory shows what was, in controls that may say something else.
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  if (unsaved()) bringNews();
  else window.location.reload();
});
