// @ts-check
// Editing the boxes on a product's photos by mouse, touch, pen and keyboard. templates/catalog/boxes_editor.html has the
// texts; whoever wants to lead there gives a button `data-edit-boxes`.

import { BoxEditor } from "./box_editor.js";
import { isLargeEnough, middle, moved, resized, spanned, step } from "./box_shapes.js";

/** @typedef {import("./box_shapes.js").Box} Box */
/** @typedef {import("./box_view.js").BoxView} BoxView */

const IDLE = 900; // milliseconds after the last key until a box is kept
const SLIP = 4; // CSS pixels that a finger moves without meaning it
const ARROWS = /** @type {Record<string, [number, number]>} */ (
  { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] });

/** @type {BoxEditor | null} */
let editor = null;
let drawing = false; // the next drag draws, wherever it begins
let idle = 0;

/** @param {HTMLElement} tools @param {string} name @returns {HTMLButtonElement | null} */
const button = (tools, name) => tools.querySelector(`[data-do=${name}]`);

/** @param {boolean} wanted */
function setDrawing(wanted) {
  drawing = wanted;
  editor?.layer.classList.toggle("drawing", wanted);
  if (editor) button(editor.tools, "draw")?.setAttribute("aria-pressed", String(wanted));
}

/** @param {HTMLElement} tools */
async function open(tools) {
  close();
  const frame = /** @type {HTMLElement | null} */ (tools.closest("figure")?.querySelector(".frame"));
  if (!frame) return;
  const now = new BoxEditor(tools, frame);
  editor = now;
  tools.classList.add("open");
  button(tools, "edit")?.setAttribute("aria-expanded", "true");
  tools.addEventListener("box-selected", showTools);
  tools.addEventListener("boxes-shown", showLevels);
  now.layer.addEventListener("pointerdown", press);
  now.layer.addEventListener("focusin", (event) => {
    const view = now.viewOf(event.target);
    if (view) now.select(view);
  });
  button(tools, "draw")?.focus({ preventScroll: true }); // the button that was pressed goes away
  await now.load();
  if (editor === now && document.activeElement === button(tools, "draw")) now.views[0]?.element.focus({ preventScroll: true });
}

function close() {
  const now = editor;
  if (!now) return;
  clearTimeout(idle);
  setDrawing(false);
  editor = null;
  now.close();
  now.tools.removeEventListener("box-selected", showTools);
  now.tools.removeEventListener("boxes-shown", showLevels);
  now.tools.classList.remove("open");
  button(now.tools, "edit")?.setAttribute("aria-expanded", "false");
}

function leave() {
  const tools = editor?.tools;
  close();
  if (tools) button(tools, "edit")?.focus();
}

/** What may be done now. */
function showTools() {
  if (!editor) return;
  const { tools, selected, views, done, level } = editor;
  const remove = button(tools, "remove");
  const undo = button(tools, "undo");
  const retry = button(tools, "retry");
  if (remove) remove.disabled = !selected;
  if (undo) undo.disabled = !done.length && !editor.held;
  if (retry) retry.hidden = !views.some((view) => view.garment.state === "failed");
  const select = /** @type {HTMLSelectElement | null} */ (tools.querySelector("[data-level]"));
  if (select && document.activeElement !== select) select.value = selected ? selected.garment.topCategory : level;
}

/** @param {Event} event */
function showLevels(event) {
  const select = /** @type {HTMLSelectElement | null | undefined} */ (editor?.tools.querySelector("[data-level]"));
  if (select && select.options.length < 2) {
    for (const { code, name } of /** @type {CustomEvent<{code: string, name: string}[]>} */ (event).detail) select.add(new Option(name, code));
  }
  showTools();
}

/** A new box in the middle of what can be seen. */
function drawInTheMiddle() {
  if (!editor) return;
  const { layer } = editor;
  const whole = layer.getBoundingClientRect();
  const scroll = layer.closest(".scroll")?.getBoundingClientRect();
  const left = Math.max(whole.left, scroll?.left ?? 0, 0);
  const top = Math.max(whole.top, scroll?.top ?? 0, 0);
  const right = Math.min(whole.right, scroll?.right ?? Infinity, window.innerWidth);
  const bottom = Math.min(whole.bottom, scroll?.bottom ?? Infinity, window.innerHeight);
  const inside = right - left > 40 && bottom - top > 40;
  const share = (/** @type {number} */ x, /** @type {number} */ y) => [(x - whole.left) / whole.width, (y - whole.top) / whole.height];
  const seen = inside ? spanned(share(left, top), share(right, bottom)) : /** @type {Box} */ ([0, 0, 1, 1]);
  setDrawing(false);
  editor.draw(middle(seen));
}

// --- Mouse, touch and pen -------------------------------------------------------------------------------------------

/** @param {PointerEvent} event */
function press(event) {
  const now = editor;
  if (!now || event.button !== 0 || !event.isPrimary) return;
  const { layer } = now;
  const handle = event.target instanceof HTMLElement ? event.target.dataset.handle : undefined;
  const view = drawing ? null : now.viewOf(event.target);
  const long = layer.closest(".long") !== null;
  if (!view && long && event.pointerType === "touch" && !drawing) {
    now.select(null); // a finger scrolls a long photo until "draw" is pressed
    return;
  }
  event.preventDefault();
  if (view) {
    now.select(view);
    view.element.focus({ preventScroll: true });
  } else {
    now.select(null);
  }
  const { width, height } = now.size;
  const from = layer.getBoundingClientRect();
  const start = [(event.clientX - from.left) / width, (event.clientY - from.top) / height];
  const before = view?.box ?? null;
  const draft = view ? null : document.createElement("div");
  let meant = false;
  let drawn = /** @type {Box} */ ([0, 0, 0, 0]);

  /** @param {PointerEvent} move */
  const drag = (move) => {
    if (move.pointerId !== event.pointerId) return;
    const rect = layer.getBoundingClientRect(); // a long photo may scroll meanwhile
    const at = [(move.clientX - rect.left) / width, (move.clientY - rect.top) / height];
    const [dx, dy] = [at[0] - start[0], at[1] - start[1]];
    meant ||= Math.hypot(dx * width, dy * height) >= SLIP;
    if (!meant) return;
    if (view && before) {
      now.hold(view, handle ? resized(before, handle, dx, dy, now.size) : moved(before, dx, dy));
    } else if (draft) {
      drawn = spanned(start, at);
      draft.className = "box-draft";
      draft.style.left = `${100 * drawn[0]}%`;
      draft.style.top = `${100 * drawn[1]}%`;
      draft.style.width = `${100 * (drawn[2] - drawn[0])}%`;
      draft.style.height = `${100 * (drawn[3] - drawn[1])}%`;
      if (!draft.isConnected) layer.append(draft);
    }
  };
  /** @param {PointerEvent} end */
  const finish = (end) => {
    if (end.pointerId !== event.pointerId) return;
    layer.removeEventListener("pointermove", drag);
    layer.removeEventListener("pointerup", finish);
    layer.removeEventListener("pointercancel", finish);
    draft?.remove();
    if (end.type === "pointercancel") now.drop();
    else if (view) now.keep();
    else if (meant && isLargeEnough(drawn, now.size)) {
      setDrawing(false);
      now.draw(drawn);
    }
  };
  layer.setPointerCapture(event.pointerId);
  layer.addEventListener("pointermove", drag);
  layer.addEventListener("pointerup", finish);
  layer.addEventListener("pointercancel", finish);
}

// --- Keys -----------------------------------------------------------------------------------------------------------

function keepSoon() {
  clearTimeout(idle);
  idle = window.setTimeout(() => {
    if (editor?.held) editor.sayPlace(editor.held);
    editor?.keep();
  }, IDLE);
}

/** @param {KeyboardEvent} event @param {BoxView} view @returns {boolean} whether the key means something for a box */
function onBox(event, view) {
  if (!editor) return false;
  const arrow = ARROWS[event.key];
  if (arrow) {
    const [x, y] = step(editor.size, event.altKey);
    const [dx, dy] = [arrow[0] * x, arrow[1] * y];
    editor.hold(view, event.shiftKey ? resized(view.box, "se", dx, dy, editor.size) : moved(view.box, dx, dy));
    view.element.scrollIntoView({ block: "nearest", inline: "nearest" });
    showTools();
    keepSoon();
    return true;
  }
  if (event.key === "Delete" || event.key === "Backspace") editor.remove();
  else if (event.key === "Enter") editor.keep();
  else return false;
  return true;
}

document.addEventListener("keydown", (event) => {
  if (!editor || event.defaultPrevented || !(event.target instanceof Element)) return;
  const inTools = editor.tools.contains(event.target);
  if (!inTools && !editor.layer.contains(event.target)) return;
  const view = editor.viewOf(event.target);
  const letter = event.code; // by its place on the keyboard: a Korean input method types others
  const undoes = letter === "KeyZ" && (event.ctrlKey || event.metaKey) && !event.shiftKey;
  if (undoes) editor.undo();
  else if (event.ctrlKey || event.metaKey) return;
  else if (event.key === "Escape") {
    if (editor.drop()) showTools();
    else if (drawing) setDrawing(false);
    else leave();
  } else if (letter === "KeyN" && !(event.target instanceof HTMLSelectElement)) drawInTheMiddle();
  else if (!(view && onBox(event, view))) return;
  event.preventDefault();
  event.stopPropagation();
}, { capture: true });

document.addEventListener("focusout", (event) => {
  if (editor?.held && editor.viewOf(event.target) === editor.held) editor.keep();
});

// --- Buttons --------------------------------------------------------------------------------------------------------

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  if (target?.closest("[data-edit-boxes]")) {
    const tools = /** @type {HTMLElement | null} */ (document.querySelector("figure.photo:not([hidden]) [data-boxes]"));
    if (!tools) return;
    event.preventDefault();
    tools.closest("figure")?.scrollIntoView({ block: "nearest" });
    void open(tools).then(() => setDrawing(true));
    return;
  }
  const pressed = /** @type {HTMLElement | null | undefined} */ (target?.closest("[data-boxes] [data-do]"));
  const tools = /** @type {HTMLElement | null | undefined} */ (pressed?.closest("[data-boxes]"));
  if (!pressed || !tools) return;
  if (pressed.dataset.do === "edit") {
    if (editor?.tools === tools) leave();
    else void open(tools);
  } else if (pressed.dataset.do === "draw") {
    if (event.detail === 0) drawInTheMiddle(); // by a key
    else setDrawing(!drawing);
  } else if (pressed.dataset.do === "remove") editor?.remove();
  else if (pressed.dataset.do === "undo") editor?.undo();
  else if (pressed.dataset.do === "retry") editor?.retry();
  else if (pressed.dataset.do === "leave") leave();
});

document.addEventListener("change", (event) => {
  if (event.target instanceof HTMLSelectElement && event.target.matches("[data-level]")) editor?.name(event.target.value);
});

// Another photo is shown, or all of them were replaced because there are more or fewer.
document.addEventListener("photo-shown", close);
document.addEventListener("htmx:oobAfterSwap", () => {
  if (!editor || editor.layer.isConnected) return;
  const url = editor.url;
  close();
  const tools = /** @type {HTMLElement | null} */ (document.querySelector(`[data-boxes="${CSS.escape(url)}"]`));
  if (tools) void open(tools);
});
