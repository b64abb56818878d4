// @ts-check
// Short words over the page about what was just done, with a way back. They take no focus and move nothing.

/**
 * @typedef {object} ToastOptions
 * @property {"ok" | "error"} [kind] an error stays until it is closed
 * @property {() => Promise<void>} [undo] what the button "Undo" does; the words of what it throws are shown
 * @property {string} [undoLabel]
 * @property {number} [seconds] how long it stays; 0 for until it is closed
 */

const SECONDS = 6;
const SECONDS_WITH_UNDO = 10;

/** @returns {HTMLElement} */
function region() {
  const found = document.getElementById("toasts");
  if (!found) throw new Error("The page has no #toasts.");
  return found;
}

/** @param {HTMLElement} box */
function leave(box) {
  if (box.contains(document.activeElement)) document.getElementById("main")?.focus({ preventScroll: true });
  box.classList.add("leaving");
  setTimeout(() => box.remove(), 150);
}

/**
 * Let a toast go after its time, or when its button says so. While somebody reads it or reaches for it, no time is counted.
 *
 * @param {HTMLElement} box
 * @param {number} seconds
 */
function run(box, seconds) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const hold = () => clearTimeout(timer);
  const go = () => {
    clearTimeout(timer);
    if (seconds) timer = setTimeout(() => leave(box), seconds * 1000);
  };
  box.addEventListener("pointerenter", hold);
  box.addEventListener("pointerleave", go);
  box.addEventListener("focusin", hold);
  box.addEventListener("focusout", go);
  box.querySelector(".close")?.addEventListener("click", () => leave(box));
  go();
}

/**
 * @param {string} tag
 * @param {string} className
 * @param {string} text
 */
function element(tag, className, text) {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

/**
 * Show a sentence; returns what takes it away again.
 *
 * @param {string} text
 * @param {ToastOptions} [options]
 * @returns {() => void}
 */
export function toast(text, { kind = "ok", undo, undoLabel, seconds } = {}) {
  const words = region().dataset;
  const box = element("div", kind === "error" ? "toast error" : "toast", "");
  if (kind === "error") box.setAttribute("role", "alert");
  const sign = element("span", "", kind === "error" ? "✕" : "✓");
  sign.setAttribute("aria-hidden", "true");
  box.append(sign, element("span", "text", text));
  if (undo) {
    const button = /** @type {HTMLButtonElement} */ (element("button", "", undoLabel ?? words.undo ?? ""));
    button.type = "button";
    button.addEventListener("click", async () => {
      button.disabled = true;
      try {
        await undo();
      } catch (problem) {
        toast(problem instanceof Error ? problem.message : String(problem), { kind: "error" });
      }
      leave(box);
    });
    box.append(button);
  }
  const close = element("button", "close", "✕");
  close.setAttribute("type", "button");
  close.setAttribute("aria-label", words.close ?? "");
  box.append(close);
  region().append(box);
  run(box, seconds ?? (kind === "error" ? 0 : undo ? SECONDS_WITH_UNDO : SECONDS));
  return () => leave(box);
}

/** Take over the messages that the server wrote into the page; put in again, so that screen readers say them. */
export function adopt() {
  const boxes = [...region().querySelectorAll(".toast")].map((box) => /** @type {HTMLElement} */ (box));
  for (const box of boxes) {
    region().append(box);
    run(box, box.classList.contains("error") ? 0 : box.querySelector("form") ? SECONDS_WITH_UNDO : SECONDS);
  }
}
