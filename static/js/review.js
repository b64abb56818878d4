// @ts-check
// The review: one product after another without page loads. The next ones are fetched ahead, answers leave behind.

import { keys } from "./keys.js";
import { Ahead } from "./review_ahead.js";
import { Claims } from "./review_claims.js";
import { edit } from "./review_edit.js";
import { isEnd, showEnd, showFetchFailed, showProduct, showWaiting } from "./review_end.js";
import { Item } from "./review_item.js";
import { Outbox } from "./review_outbox.js";
import { Pace } from "./review_pace.js";
import { toast } from "./toast.js";

/** @typedef {import("./requests.js").Failed} Failed */
/** @typedef {import("./review_item.js").Sent} Sent */

const LOOK_AGAIN_MS = 20_000; // for new products, where there are none
const AT_LEAST_MS = 150; // nobody has looked at a product that was shown for less: the key was pressed twice
const PATIENCE_MS = 400; // from then on a product is shown while its photos still come

const root = /** @type {HTMLElement} */ (document.getElementById("review"));
const stage = /** @type {HTMLElement} */ (document.getElementById("review-items"));
const note = /** @type {HTMLElement} */ (root.querySelector("[data-unsent-note]"));
const help = /** @type {HTMLDialogElement} */ (document.getElementById("keys-help"));
const pace = new Pace(root, Number(root.dataset.total), root.dataset.more !== undefined);

/** @type {Item | null} */
let shown = null;
/** @type {Item[]} in the order in which they were left */
let skipped = [];
/** @type {{item: Item, sent: boolean, answered: boolean}[]} what U takes back, the last at the end */
const past = [];
let shownAt = 0;

const ahead = new Ahead(root.dataset.batch ?? "", {
  add,
  // Unless this page still holds it, it is somebody else's turn.
  passed: (sent) => claims.giveBack(sent.filter(({ id }) => !held().some((item) => item.id === id))),
});

const outbox = new Outbox({
  changed(unsent, failed) {
    note.hidden = !unsent || (!failed && unsent < 3); // one or two are always on their way
    const text = (root.dataset.unsent ?? "").replace("{n}", String(unsent));
    /** @type {HTMLElement} */ (note.querySelector("[data-text]")).textContent = failed ? `${text}. ${failed.message}` : text;
  },
  taken({ item, kind }, answer) {
    if (kind === "answer") {
      item.version = answer.version;
      item.undo = answer.undo;
    } else {
      item.undo = null;
      if (answer.item) item.version = answer.item.version;
    }
  },
  refused({ item, kind }, failed) {
    const answer = past.findLastIndex((one) => one.item === item);
    if (answer >= 0) past.splice(answer, 1);
    if (kind === "answer") pace.move(-1);
    const fresh = /** @type {Sent | null | undefined} */ (failed.data?.item);
    toast(`${item.name}: ${failed.message}`, { kind: "error" });
    if (fresh) again(item, fresh, failed.message);
    else if (item === shown) advance();
  },
});

/** Show a product as it is now, after an answer to what it was before. @param {Item} old @param {Sent} sent @param {string} why */
function again(old, sent, why) {
  const fresh = add(sent);
  fresh.tell(why);
  ahead.remove(old);
  ahead.items.unshift(fresh);
  if (!shown || shown === old) advance();
  old.element.remove();
}

/** @param {Sent} sent @returns {Item} */
function add(sent) {
  const item = new Item(sent);
  stage.append(item.element);
  item.prepare();
  return item;
}

// --- What comes next ----------------------------------------------------------------------------------------------

/** Show the next product, or that there is none. */
async function advance() {
  shown?.element.remove();
  shown = null;
  if (!ahead.items.length) showWaiting();
  try {
    const next = await ahead.next();
    if (shown && next) ahead.items.unshift(next); // U was quicker
    if (shown) return;
    if (next) await present(next);
    else finish();
  } catch (error) {
    showFetchFailed(/** @type {Failed} */ (error).message);
    return;
  }
  pace.atLeast(pace.done + skipped.length + held().length);
  ahead.fetch().catch(() => undefined); // it is tried again, and said, when the last one that is there was answered
}

/** @param {Item} item */
async function present(item) {
  shown = item;
  if (!item.element.isConnected) stage.append(item.element);
  await Promise.race([item.ready, new Promise((resolve) => window.setTimeout(resolve, PATIENCE_MS))]);
  if (shown !== item) return;
  showProduct();
  item.show();
  shownAt = performance.now();
  document.dispatchEvent(new CustomEvent("review-shown", { detail: item.id }));
}

function finish() {
  showEnd(pace.done, skipped.length);
  window.setTimeout(lookAgain, LOOK_AGAIN_MS);
}

/** New products come in while the page is empty. */
async function lookAgain() {
  if (shown || !isEnd()) return;
  ahead.startOver();
  await ahead.fetch().catch(() => undefined); // it is tried again
  if (ahead.items.length && !shown) advance();
  else if (isEnd()) window.setTimeout(lookAgain, LOOK_AGAIN_MS);
}

// --- Answers --------------------------------------------------------------------------------------------------------

/** The product that the person sees; none while its photos are still coming. */
const seen = () => (shown && !shown.element.hidden ? shown : null);

function accept() {
  const item = seen();
  if (!item || performance.now() - shownAt < AT_LEAST_MS) return;
  const missing = item.missing();
  if (missing) {
    item.tell(root.dataset.needsCategory ?? "");
    item.ask(missing);
    return;
  }
  item.tell("");
  const said = item.said();
  const sent = Object.keys(said).length > 0;
  past.push({ item, sent, answered: true });
  pace.move(1);
  if (sent) outbox.post({ item, kind: "answer", said });
  else claims.giveBack([item]);
  advance();
}

function skip() {
  const item = seen();
  if (!item) return;
  past.push({ item, sent: false, answered: false });
  skipped.push(item);
  claims.giveBack([item]);
  advance();
}

function undo() {
  const last = past.pop();
  if (!last) {
    toast(root.dataset.nothingToUndo ?? "");
    return;
  }
  const { item, sent, answered } = last;
  skipped = skipped.filter((one) => one !== item);
  if (answered) pace.move(-1);
  if (sent && !outbox.recall(item)) outbox.post({ item, kind: "undo", said: {} });
  else claims.renew([item]);
  if (shown) {
    shown.hide();
    ahead.items.unshift(shown);
  }
  toast((root.dataset.undone ?? "").replace("{name}", item.name));
  item.seen.clear();
  present(item);
}

/** Go through the skipped ones once more. */
function onceMore() {
  ahead.items.push(...skipped);
  claims.renew(skipped);
  skipped = [];
  advance();
}

/** Products in this page's hands. */
const held = () => [...(shown ? [shown] : []), ...ahead.items];

/** @param {Item} item */
function lose(item) {
  ahead.remove(item);
  toast((root.dataset.taken ?? "").replace("{name}", item.name), { kind: "error" });
  if (item === shown) advance();
  item.element.remove();
}

const claims = new Claims(root.dataset.claims ?? "", held, lose);

window.addEventListener("beforeunload", (event) => { if (outbox.unsent) event.preventDefault(); });

// --- Keys, mouse and thumb ----------------------------------------------------------------------------------------------

const digits = Object.fromEntries(["1", "2", "3", "4", "5"].map((key) => [key, { run: () => seen()?.choose(key) ?? false }]));

function none() {
  const item = seen();
  const line = item?.current ?? item?.lines()[0];
  if (!item || !line) return;
  if (!item.choose("n")) edit(item, line);
  else if (line.dataset.line === "garment") openCategory();
}

/** Without a garment there is no proposal, and every product has a category. */
function openCategory() {
  const item = seen();
  const missing = item?.missing();
  if (item && missing) edit(item, missing);
}

/** @param {Element | null} [line] */
function editLine(line = seen()?.current) {
  const item = seen();
  const wanted = line && line.getAttribute("data-line") !== "garment" ? line : item?.lines().find((one) => one.dataset.line !== "garment");
  if (item && wanted) edit(item, /** @type {HTMLElement} */ (wanted));
}

/** @param {KeyboardEvent} event */
function enter(event) {
  const target = /** @type {Element} */ (event.target);
  if (target.closest("a, button, summary")) return false; // it presses that
  accept();
  return true;
}

function garment() {
  const line = /** @type {HTMLElement | null | undefined} */ (shown?.element.querySelector("[data-line=garment]"));
  if (line) shown?.ask(line);
}

function openPage() {
  /** @type {HTMLElement | null | undefined} */ (shown?.element.querySelector("[data-open]"))?.click();
}

keys({
  ...digits,
  Enter: { run: enter },
  n: { run: none },
  e: { run: () => editLine() },
  g: { run: garment },
  s: { run: skip },
  u: { run: undo },
  p: { run: () => shown?.photo() },
  o: { run: openPage },
}, help);

/** @type {Record<string, (button: Element) => void>} */
const actions = {
  undo,
  skip,
  again: onceMore,
  edit: (button) => editLine(button.closest("[data-line]")),
  help: () => help.showModal(),
  send: () => outbox.go(),
  fetch: () => advance(),
};

root.addEventListener("click", (event) => {
  const button = /** @type {Element} */ (event.target).closest("[data-do]");
  if (button) actions[/** @type {HTMLElement} */ (button).dataset.do ?? ""]?.(button);
});
root.addEventListener("submit", (event) => {
  event.preventDefault();
  accept();
});
root.addEventListener("change", (event) => {
  const choice = /** @type {HTMLInputElement} */ (event.target);
  if (choice.name === "top_category" && choice.value === "") openCategory();
});

advance();
