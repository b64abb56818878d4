// @ts-check
// Choosing products of a list, and doing the same to all of them: the question comes in a dialog, the answer as a toast.
//
// Everything is heard at the document, so rows may come and go. A change that is over says so by the event
// "products:changed"; a list that follows it prevents its default, else the page is loaded again.

import { enhanceAll } from "./combobox.js";
import { clearFailure, showFailure } from "./failures.js";
import { Failed, send } from "./requests.js";
import { toast } from "./toast.js";

const LATER = "otjang.bulk"; // what is said after the page was loaded again
const WAIT_SECONDS = 60;

/** @type {HTMLInputElement | null} */
let last = null;

// The bar comes and goes with the list, so nothing of it is kept.
const form = () => /** @type {HTMLFormElement | null} */ (document.getElementById("bulk"));
const dialog = () => /** @type {HTMLDialogElement} */ (document.getElementById("bulk-dialog"));

// Both forms have a field "action", which hides the property of that name.
const address = (/** @type {HTMLFormElement} */ sent) => sent.getAttribute("action") ?? "";

/** @returns {HTMLInputElement[]} */
const boxes = () => [...document.querySelectorAll("input[data-pick]")].map((box) => /** @type {HTMLInputElement} */ (box));

/** Say how many are chosen, and let the head's box follow its rows. */
function count() {
  const all = boxes();
  const picked = all.filter((box) => box.checked);
  const everything = /** @type {HTMLInputElement | null} */ (form()?.querySelector("[data-all]") ?? null);
  if (everything && picked.length < all.length) everything.checked = false;
  const number = form()?.querySelector("[data-number]");
  if (number) number.textContent = String(picked.length);
  for (const head of document.querySelectorAll("input[data-pick-all]")) {
    const box = /** @type {HTMLInputElement} */ (head);
    box.checked = all.length > 0 && picked.length === all.length;
    box.indeterminate = picked.length > 0 && picked.length < all.length;
  }
}

/** Choose all from the box before to this one. @param {HTMLInputElement} box */
function pickRange(box) {
  const all = boxes();
  const [from, to] = [all.indexOf(/** @type {HTMLInputElement} */ (last)), all.indexOf(box)];
  if (from < 0) return;
  for (const one of all.slice(Math.min(from, to), Math.max(from, to) + 1)) one.checked = box.checked;
}

document.addEventListener("click", (event) => {
  const target = event.target;
  if (target instanceof HTMLInputElement && "pick" in target.dataset) {
    if (event.shiftKey && last) pickRange(target);
    last = target;
  } else if (target instanceof Element && target.closest("#bulk-dialog [data-close]")) {
    event.preventDefault();
    dialog().close();
  }
});

document.addEventListener("change", (event) => {
  const box = event.target;
  if (!(box instanceof HTMLInputElement)) return;
  if ("pickAll" in box.dataset) for (const one of boxes()) one.checked = box.checked;
  if ("all" in box.dataset && box.checked) for (const one of boxes()) one.checked = true;
  if ("pick" in box.dataset || "pickAll" in box.dataset || "all" in box.dataset) count();
});

// The boxes belong to the form, and are reset with it; this event comes before that.
document.addEventListener("reset", (event) => {
  if (event.target === form()) setTimeout(count);
});

// Before the page's other scripts, which would send it as a form.
document.addEventListener("submit", (event) => {
  const sent = /** @type {HTMLFormElement} */ (event.target);
  const asked = sent.closest("#bulk-dialog") !== null;
  if (sent !== form() && !asked) return;
  if (event.submitter?.hasAttribute("formaction")) return; // a page of its own asks
  event.preventDefault();
  if (asked) void carryOut(sent);
  else void ask(/** @type {HTMLButtonElement | null} */ (event.submitter)?.value ?? "");
}, { capture: true });

/** Ask in the dialog before anything is done. @param {string} action */
async function ask(action) {
  const bar = /** @type {HTMLFormElement} */ (form());
  const body = new FormData(bar);
  body.delete("csrfmiddlewaretoken");
  body.set("action", action);
  body.set("part", "1");
  if (body.get("all") === "1") body.delete("product");
  clearFailure(bar);
  try {
    const { data } = await send(address(bar), { body, accept: "text/html" });
    const parsed = new DOMParser().parseFromString(data, "text/html");
    dialog().replaceChildren(...parsed.body.childNodes);
    enhanceAll(dialog());
    dialog().showModal();
    // What is asked for, else the button that does it: Cancel is before it in the dialog, but after it in importance.
    for (const wanted of ["[role=combobox], select", "button.primary:not(:disabled)", "[data-close]"]) {
      const first = /** @type {HTMLElement | null} */ (dialog().querySelector(wanted));
      if (!first) continue;
      first.focus();
      break;
    }
  } catch (failed) {
    if (!(failed instanceof Failed)) throw failed;
    showFailure(bar, failed, () => ask(action));
  }
}

/** Do it. @param {HTMLFormElement} asked */
async function carryOut(asked) {
  const button = /** @type {HTMLButtonElement} */ (asked.querySelector("button.primary"));
  clearFailure(asked);
  button.setAttribute("aria-busy", "true");
  try {
    const body = new FormData(asked);
    body.delete("csrfmiddlewaretoken");
    const { data } = await send(address(asked), { body, seconds: WAIT_SECONDS });
    dialog().close();
    done(data);
  } catch (failed) {
    if (!(failed instanceof Failed)) throw failed;
    showFailure(asked, failed, () => carryOut(asked));
  } finally {
    button.removeAttribute("aria-busy");
  }
}

/**
 * Say what an operation came to, or go to its page while it goes on.
 * @param {{page: string, over: boolean, message: string, undo: string, failed: number}} answer
 */
function done(answer) {
  if (!answer.over) {
    window.location.assign(answer.page);
    return;
  }
  form()?.reset();
  const changed = new CustomEvent("products:changed", { cancelable: true, detail: answer });
  if (!document.dispatchEvent(changed)) {
    say(answer);
    return;
  }
  sessionStorage.setItem(LATER, JSON.stringify(answer));
  window.location.reload();
}

/** @param {{message: string, undo: string}} answer */
function say({ message, undo }) {
  toast(message, undo ? { undo: () => takeBack(undo) } : {});
}

/** @param {string} url */
async function takeBack(url) {
  const { data } = await send(url, { body: {}, seconds: WAIT_SECONDS });
  done(data);
}

const later = sessionStorage.getItem(LATER);
if (later) {
  sessionStorage.removeItem(LATER);
  say(JSON.parse(later));
}
count();
