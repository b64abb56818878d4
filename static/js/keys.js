// @ts-check
// Single keys as commands, with a dialog on `?` that lists them and can switch letters and digits off.

/**
 * @typedef {object} Binding
 * @property {(event: KeyboardEvent) => boolean | void} run `false` leaves the key to the browser
 * @property {string} [label] what it does, for the dialog's list; without one the dialog says it itself
 */

const STORED = "keys-off";
const TYPED_INTO = "input:not([type=radio], [type=checkbox], [type=button], [type=submit]), textarea, select, [contenteditable]";

/**
 * The key by its name on the keyboard: with a Korean input method "S" arrives as "ㄴ", and is meant as S.
 * @param {KeyboardEvent} event
 * @returns {string} "a" to "z", "0" to "9", "?", or the event's own name such as "Enter"
 */
export function keyOf(event) {
  if (event.key === "?" || (event.code === "Slash" && event.shiftKey)) return "?";
  if (/^[a-z0-9]$/i.test(event.key)) return event.key.toLowerCase();
  const code = /^(?:Key([A-Z])|Digit([0-9])|Numpad([0-9]))$/.exec(event.code);
  if (code && !event.shiftKey) return (code[1] ?? code[2] ?? code[3]).toLowerCase();
  return event.key;
}

/** Whether letters and digits work as keys: speech input types them by mistake, so a person may switch them off. */
export function lettersWork() {
  try {
    return localStorage.getItem(STORED) === null;
  } catch { // the browser keeps nothing for this site
    return true;
  }
}

/** @param {HTMLDialogElement} dialog @param {Record<string, Binding>} bindings */
function prepare(dialog, bindings) {
  const list = dialog.querySelector("dl");
  for (const [key, { label }] of Object.entries(bindings)) {
    if (!label || !list) continue;
    const [term, said, cap] = ["dt", "dd", "kbd"].map((name) => document.createElement(name));
    cap.textContent = key.length === 1 ? key.toUpperCase() : key;
    said.textContent = label;
    term.append(cap);
    list.append(term, said);
  }
  const letters = /** @type {HTMLInputElement | null} */ (dialog.querySelector("[data-letters]"));
  if (!letters) return;
  letters.checked = lettersWork();
  letters.addEventListener("change", () => {
    try {
      if (letters.checked) localStorage.removeItem(STORED);
      else localStorage.setItem(STORED, "1");
    } catch { /* it holds until the page is left */ }
  });
}

/**
 * Let keys run commands, except where a person types text or a dialog is open.
 * @param {Record<string, Binding>} bindings by `keyOf`
 * @param {HTMLDialogElement | null} [dialog] opened by `?`
 */
export function keys(bindings, dialog = null) {
  if (dialog) prepare(dialog, bindings);
  document.addEventListener("keydown", (event) => {
    const target = /** @type {Element} */ (event.target);
    if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (target.closest?.(TYPED_INTO) || document.querySelector("dialog[open]")) return;
    const key = keyOf(event);
    if (key === "?" && dialog) {
      event.preventDefault();
      dialog.showModal();
      return;
    }
    const binding = bindings[key];
    if (!binding || (key.length === 1 && !lettersWork())) return;
    if (event.repeat) event.preventDefault(); // a key that is held down says it once
    else if (binding.run(event) !== false) event.preventDefault();
  });
}
