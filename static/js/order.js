// @ts-check
// A list whose entries are put in order: by dragging with a mouse or a finger, by keys, and by buttons.

const SLIP = 6; // px that a pointer may move without dragging
const HOLD_MS = 250; // that a finger rests before it drags: until then it scrolls

/**
 * @param {HTMLElement} list whose children are the entries; each has a `.handle` and may have `.earlier` and `.later`
 * @param {(entry: HTMLElement) => void} moved
 */
export function sortable(list, moved) {
  list.addEventListener("click", (event) => {
    const button = /** @type {HTMLElement} */ (event.target).closest?.(".earlier, .later");
    const entry = entryOf(list, button);
    if (!button || !entry) return;
    if (shift(list, entry, button.matches(".earlier") ? -1 : 1)) moved(entry);
    /** @type {HTMLElement} */ (button).focus();
  });
  list.addEventListener("keydown", (event) => {
    const handle = /** @type {HTMLElement} */ (event.target).closest?.(".handle");
    const entry = entryOf(list, handle);
    const steps = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1, Home: -Infinity, End: Infinity }[event.key];
    if (!handle || !entry || steps === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    if (shift(list, entry, steps)) moved(entry);
    /** @type {HTMLElement} */ (handle).focus();
  });
  drag(list, moved);
}

/** @param {HTMLElement} list @param {Element | null | undefined} inside @returns {HTMLElement | null} */
function entryOf(list, inside) {
  return /** @type {HTMLElement | null} */ ([...list.children].find((entry) => inside && entry.contains(inside)) ?? null);
}

/** @param {HTMLElement} list @param {HTMLElement} entry @param {number} steps @returns {boolean} whether it moved */
function shift(list, entry, steps) {
  const entries = [...list.children];
  const from = entries.indexOf(entry);
  const to = Math.max(0, Math.min(entries.length - 1, from + steps));
  if (to === from) return false;
  list.insertBefore(entry, to < from ? entries[to] : entries[to].nextSibling);
  return true;
}

/** @param {HTMLElement} list @param {(entry: HTMLElement) => void} moved */
function drag(list, moved) {
  /** @type {{entry: HTMLElement, x: number, y: number, id: number, on: boolean, from: Element[], timer: number} | null} */
  let held = null;

  const begin = () => {
    if (!held) return;
    held.on = true;
    held.entry.classList.add("dragged");
    list.setPointerCapture(held.id);
  };
  const end = () => {
    if (!held) return;
    window.clearTimeout(held.timer);
    const { entry, on, from } = held;
    held = null;
    entry.classList.remove("dragged");
    if (on && [...list.children].some((one, place) => one !== from[place])) moved(entry);
  };

  list.addEventListener("pointerdown", (event) => {
    const entry = entryOf(list, /** @type {Element} */ (event.target).closest(".handle"));
    if (!entry || event.button !== 0) return;
    held = { entry, x: event.clientX, y: event.clientY, id: event.pointerId, on: false, from: [...list.children], timer: 0 };
    if (event.pointerType !== "mouse") held.timer = window.setTimeout(begin, HOLD_MS);
  });
  list.addEventListener("pointermove", (event) => {
    if (!held || event.pointerId !== held.id) return;
    if (!held.on) {
      if (Math.hypot(event.clientX - held.x, event.clientY - held.y) < SLIP) return;
      if (event.pointerType !== "mouse") return end(); // the finger scrolls
      begin();
    }
    const over = document.elementsFromPoint(event.clientX, event.clientY).find((one) => one.parentElement === list);
    if (!over || over === held.entry) return;
    const behind = [...list.children].indexOf(held.entry) < [...list.children].indexOf(over);
    list.insertBefore(held.entry, behind ? over.nextSibling : over);
  });
  list.addEventListener("pointerup", end);
  list.addEventListener("pointercancel", end);
  list.addEventListener("touchmove", (event) => { if (held?.on) event.preventDefault(); }, { passive: false });
  list.addEventListener("contextmenu", (event) => { if (held?.on) event.preventDefault(); }); // a long press
}
