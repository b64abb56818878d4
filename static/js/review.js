// @ts-check
// The review: one product after another without page loads. The next ones are fetched ahead, answers leave behind.

import { keys } from "./keys.js";
import { send } from "./requests.js";
import { edit } from "./review_edit.js";
import { Item } from "./review_item.js";
import { Outbox } from "./review_outbox.js";
import { Pace } from "./review_pace.js";
import { csrfToken } from "./session.js";

/** @typedef {import("./requests.js").Failed} Failed */
/** @typedef {import("./review_item.js").Sent} Sent */

const AHEAD = 5; // products behind the one that is shown: each is a claim
const RENEW_MS = 60_000;
const LOOK_AGAIN_MS = 20_000; // for new products, where there are none
const AT_LEAST_MS = 150; // nobody has looked at a product that was shown for less: the key was pressed twice
const PATIENCE_MS = 400; // from then on a product is shown while its photos still come

const root = /** @type {HTMLElement} */ (document.getElementById("review"));
const stage = /** @type {HTMLElement} */ (document.getElementById("review-items"));
const end = /** @type {HTMLElement} */ (root.querySelector("[data-end]"));
const note = /** @type {HTMLElement} */ (root.querySelector("[data-unsent-note]"));
const help = /** @type {HTMLDialogElement} */ (document.getElementById("keys-help"));
const pace = new Pace(root, Number(root.dataset.total), root.dataset.more !== undefined);

/** @type {Item | null} */
let shown = null;
/** @type {Item[]} */
let queue = [];
/** @type {Item[]} in the order in which they were left */
let skipped = [];
/** @type {{item: Item, sent: boolean, answered: boolean}[]} what U takes back, the last at the end */
const past = [];
const passed = new Set(); // ids of the products that were shown or are ahead: a pass brings none twice
let after = "";
let ended = false;
let brought = false; // whether this pass through the queue has brought anything
let shownAt = 0;
let leaving = false;
/** @type {Promise<void> | null} */
let fetching = null;

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
    say(`${item.name}: ${failed.message}`);
    if (fresh) again(item, fresh, failed.message);
    else if (item === shown) advance();
  },
});

/** Show a product as it is now, after an answer to what it was before. @param {Item} old @param {Sent} sent @param {string} why */
function again(old, sent, why) {
  const fresh = add(sent);
  fresh.tell(why);
  queue = [fresh, ...queue.filter((item) => item !== old)];
  if (!shown || shown === old) advance();
  old.element.remove();
}

/** Say something to who sees the page and to who hears it. @param {string} text */
function say(text) {
  /** @type {HTMLElement} */ (root.querySelector("[data-said]")).textContent = text;
}

/** @param {Sent} sent @returns {Item} */
function add(sent) {
  const item = new Item(sent);
  stage.append(item.element);
  item.prepare();
  return item;
}

// --- What comes next ----------------------------------------------------------------------------------------------

function fetchAhead() {
  if (fetching || ended || queue.length >= AHEAD) return fetching ?? Promise.resolve();
  fetching = fetchNext().finally(() => { fetching = null; });
  return fetching;
}

async function fetchNext() {
  const want = AHEAD - queue.length + (shown ? 0 : 1);
  const body = { after, want: String(want) };
  /** @type {{items: Sent[], after: string, ended: boolean}} */
  const answer = (await send(root.dataset.batch ?? "", { body, key: "" })).data;
  after = answer.after;
  ended = answer.ended;
  const fresh = answer.items.filter((sent) => !passed.has(sent.id)).map(add);
  giveBack(answer.items.filter((sent) => passed.has(sent.id) && !held().some((item) => item.id === sent.id)));
  for (const item of fresh) passed.add(item.id);
  queue.push(...fresh);
  brought ||= fresh.length > 0;
  pace.atLeast(pace.done + skipped.length + queue.length + (shown ? 1 : 0));
}

/** Show the next product, or that there is none. */
async function advance() {
  shown?.element.remove();
  shown = null;
  while (!queue.length) {
    if (ended && !startOver()) break;
    stage.setAttribute("aria-busy", "true");
    try {
      await fetchAhead();
    } catch (error) {
      fail(/** @type {Failed} */ (error));
      return;
    }
  }
  if (shown) return; // U was quicker
  const next = queue.shift();
  if (next) await present(next);
  else finish();
  fetchAhead()?.catch(() => undefined); // it is tried again, and said, when the last one that is there was answered
}

/** What came in since this pass began may be more doubtful than where it ended. @returns {boolean} whether to go on */
function startOver() {
  if (!brought) return false;
  brought = ended = false;
  after = "";
  return true;
}

/** @param {Item} item */
async function present(item) {
  shown = item;
  if (!item.element.isConnected) stage.append(item.element);
  await Promise.race([item.ready, new Promise((resolve) => window.setTimeout(resolve, PATIENCE_MS))]);
  if (shown !== item) return;
  stage.setAttribute("aria-busy", "false");
  stage.querySelector(".review-loading, .review-failed")?.remove();
  end.hidden = true;
  item.show();
  shownAt = performance.now();
  document.dispatchEvent(new CustomEvent("review-shown", { detail: item.id }));
}

function finish() {
  stage.setAttribute("aria-busy", "false");
  stage.querySelector(".review-loading, .review-failed")?.remove();
  const title = /** @type {HTMLElement} */ (end.querySelector("h2"));
  const done = pace.done > 0 || skipped.length > 0;
  title.textContent = (done ? title.dataset.titleDone : title.dataset.titleNone) ?? "";
  const numbers = { none: done ? 0 : 1, done: pace.done, skipped: skipped.length };
  for (const one of end.querySelectorAll("[data-when]")) {
    const part = /** @type {HTMLElement} */ (one);
    const number = numbers[/** @type {keyof typeof numbers} */ (part.dataset.when)];
    part.hidden = !number;
    if (part.dataset.text) part.textContent = part.dataset.text.replace("{n}", String(number));
  }
  end.hidden = false;
  title.focus();
  window.setTimeout(lookAgain, LOOK_AGAIN_MS);
}

/** New products come in while the page stands empty. */
async function lookAgain() {
  if (shown || leaving || end.hidden) return;
  after = "";
  ended = false;
  try {
    await fetchAhead();
  } catch { /* it is tried again */ }
  if (queue.length && !shown) advance();
  else if (!end.hidden) window.setTimeout(lookAgain, LOOK_AGAIN_MS);
}

/** @param {Failed} failed */
function fail(failed) {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById("review-failed"));
  const section = /** @type {HTMLElement} */ (template.content.cloneNode(true).firstElementChild);
  section.classList.add("review-failed");
  /** @type {HTMLElement} */ (section.querySelector("[data-why]")).textContent = failed.message;
  stage.querySelector(".review-loading, .review-failed")?.remove();
  stage.append(section);
  stage.setAttribute("aria-busy", "false");
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
  else giveBack([item]);
  advance();
}

function skip() {
  const item = seen();
  if (!item) return;
  past.push({ item, sent: false, answered: false });
  skipped.push(item);
  giveBack([item]);
  advance();
}

function undo() {
  const last = past.pop();
  if (!last) {
    say(root.dataset.nothingToUndo ?? "");
    return;
  }
  const { item, sent, answered } = last;
  skipped = skipped.filter((one) => one !== item);
  if (answered) pace.move(-1);
  if (sent && !outbox.recall(item)) outbox.post({ item, kind: "undo", said: {} });
  else renew([item]);
  if (shown) {
    shown.hide();
    queue.unshift(shown);
  }
  say((root.dataset.undone ?? "").replace("{name}", item.name));
  item.seen.clear();
  present(item);
}

/** Go through the skipped ones once more. */
function onceMore() {
  queue.push(...skipped);
  renew(skipped);
  skipped = [];
  advance();
}

// --- Claims -----------------------------------------------------------------------------------------------------------

/** Products in this page's hands. */
const held = () => [...(shown ? [shown] : []), ...queue];

/** Put the end of claims off; what somebody else has got meanwhile is taken out. @param {Item[]} items */
async function renew(items) {
  if (!items.length || leaving) return;
  try {
    const body = { id: items.map((item) => item.id) };
    const { kept } = (await send(root.dataset.claims ?? "", { body, key: "" })).data;
    for (const item of items) if (!kept.includes(item.id)) drop(item);
  } catch { /* the next time; an answer is checked by its version in any case */ }
}

/** @param {Item} item */
function drop(item) {
  if (!held().includes(item)) return;
  queue = queue.filter((one) => one !== item);
  say((root.dataset.taken ?? "").replace("{name}", item.name));
  if (item === shown) advance();
  item.element.remove();
}

/** @param {{id: string}[]} items */
function giveBack(items) {
  if (!items.length) return;
  send(root.dataset.claims ?? "", { body: { id: items.map((item) => item.id), leave: "1" }, key: "" }).catch(() => undefined);
}

window.setInterval(() => renew(held()), RENEW_MS);
document.addEventListener("visibilitychange", () => { if (!document.hidden) renew(held()); }); // timers sleep, claims run out

// --- Leaving ----------------------------------------------------------------------------------------------------------

window.addEventListener("beforeunload", (event) => { if (outbox.unsent) event.preventDefault(); });
window.addEventListener("pagehide", () => {
  leaving = true;
  const body = new FormData();
  for (const item of held()) body.append("id", item.id);
  body.append("leave", "1");
  body.append("csrfmiddlewaretoken", csrfToken());
  navigator.sendBeacon(root.dataset.claims ?? "", body);
});
window.addEventListener("pageshow", (event) => { if (event.persisted) window.location.reload(); }); // its claims are gone

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
