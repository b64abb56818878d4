// @ts-check
// What failed in the background is said where it was asked for, with a way to try again; for htmx's requests as well.

import * as connection from "./connection.js";
import { Failed } from "./requests.js";
import { csrfToken, logIn, pageOf } from "./session.js";

const texts = /** @type {HTMLElement | null} */ (document.getElementById("requests"))?.dataset ?? {};
const ASKED_BY_A_PERSON = new Set(["click", "change", "submit", "input", "keydown", "keyup", "search"]);

/** @type {WeakMap<Element, HTMLElement>} */
const notes = new WeakMap();

/** Take away what was said at this place. @param {Element} place */
export function clearFailure(place) {
  notes.get(place)?.remove();
  notes.delete(place);
}

/**
 * Say behind `place` that something failed there.
 * @param {Element} place what the person used: a button, a field, a line
 * @param {Failed} failed
 * @param {(() => void) | null} [retry] what the button does; without it there is one only if sending again may help
 */
export function showFailure(place, failed, retry = null) {
  clearFailure(place);
  if (failed.kind === "cancelled") return;
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById("failure-note"));
  const note = /** @type {HTMLElement} */ (document.importNode(template.content, true).querySelector(".failure"));
  const button = /** @type {HTMLButtonElement} */ (note.querySelector(".failure-retry"));
  /** @type {HTMLElement} */ (note.querySelector(".failure-text")).textContent = failed.message;
  button.hidden = !retry || !failed.retriable;
  button.addEventListener("click", () => {
    clearFailure(place);
    retry?.();
  });
  place.after(note);
  notes.set(place, note);
}

// --- htmx itself says nothing when a request fails -------------------------------------------------------------

/** @param {any} config htmx's of the request that failed */
function again(config) {
  /** @type {any} */ (window).htmx.ajax(config.verb, config.path, {
    source: config.elt, target: config.target, event: config.triggeringEvent,
  });
}

/** @param {any} detail of htmx's event @param {"offline" | "timeout" | "server"} kind */
function tell(detail, kind) {
  const { elt, requestConfig: config } = detail;
  if (!ASKED_BY_A_PERSON.has(config?.triggeringEvent?.type)) return; // the page's own polling: the banner says enough
  showFailure(elt, new Failed(kind, texts[kind] ?? ""), () => again(config));
}

/** @param {any} detail of htmx's event */
async function enterAndRepeat(detail) {
  const { elt, requestConfig: config } = detail;
  try {
    const outcome = await logIn();
    if (outcome.ok) again(config);
    else showFailure(elt, new Failed(outcome.reason === "other_person" ? "other_person" : "log_in",
      (outcome.reason === "other_person" ? texts.otherPerson : texts.logInFirst) ?? ""), () => again(config));
  } catch {
    connection.lost();
    tell(detail, "offline");
  }
}

document.addEventListener("htmx:configRequest", (event) => {
  const { headers, verb } = /** @type {CustomEvent} */ (event).detail;
  if (pageOf) headers["Page-Of"] = pageOf;
  if (verb !== "get") headers["X-CSRFToken"] = csrfToken();
});
document.addEventListener("htmx:sendError", (event) => {
  connection.lost();
  tell(/** @type {CustomEvent} */ (event).detail, "offline");
});
document.addEventListener("htmx:timeout", (event) => tell(/** @type {CustomEvent} */ (event).detail, "timeout"));
document.addEventListener("htmx:responseError", (event) => {
  const { detail } = /** @type {CustomEvent} */ (event);
  const { status, responseText } = detail.xhr;
  if (status === 401) {
    enterAndRepeat(detail);
  } else if (status >= 500) {
    tell(detail, "server");
  } else if (status === 409) {
    /** @type {{ message?: string }} */
    let said = {};
    try { said = JSON.parse(responseText); } catch { /* a page of its own */ }
    showFailure(detail.elt, new Failed("conflict", said.message ?? texts.conflict ?? "", { status, data: said }));
  }
});
document.addEventListener("htmx:afterRequest", (event) => {
  const { elt, successful } = /** @type {CustomEvent} */ (event).detail;
  if (!successful) return;
  connection.back();
  clearFailure(elt);
});
