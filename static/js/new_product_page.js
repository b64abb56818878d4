// @ts-check
// The page around the drafts: one is being filled, others may still be on their way below it.

import { showFailure } from "./failures.js";
import { watchPage } from "./files_in.js";
import { Draft, newNumber } from "./new_product.js";
import { Failed, send } from "./requests.js";
import { text } from "./upload_item.js";

/** @type {Draft[]} */
const drafts = [];
/** @type {Draft} */
let current;

/** @param {Draft} draft */
function start(draft) {
  current = draft;
  drafts.push(draft);
  const { form } = draft;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (draft.want()) draft.finish();
  });
  draft.part("[data-next]").addEventListener("click", () => next(draft));
  draft.part("[data-discard]").addEventListener("click", () => discard(draft));
}

/** A form as the page came, for the next product. @param {Draft} draft */
function afresh(draft) {
  draft.form.replaceWith(draft.pristine);
  start(new Draft(draft.pristine, newNumber()));
  window.history.replaceState(null, "", draft.form.getAttribute("action"));
  current.field("images").focus();
}

/** Put this product on the list below and start with an empty form; its uploads go on. @param {Draft} draft */
function next(draft) {
  if (!draft.want()) return;
  const template = /** @type {HTMLTemplateElement} */ (document.querySelector("template.earlier-line"));
  const line = /** @type {HTMLElement} */ (/** @type {Element} */ (template.content.firstElementChild).cloneNode(true));
  const part = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (line.querySelector(selector));
  const section = /** @type {HTMLElement} */ (document.querySelector(".earlier-products"));
  section.hidden = false;
  section.querySelector("ul")?.prepend(line);
  const title = draft.field("name").value || draft.field("sku").value || text("untitled");
  const link = /** @type {HTMLAnchorElement} */ (part(".earlier-title"));
  link.textContent = title;
  part(".retry").addEventListener("click", () => { draft.want(); draft.retryAll(); draft.finish(); });
  part(".without").addEventListener("click", () => { if (draft.want()) draft.finish(); });
  /** @type {HTMLAnchorElement} */ (part(".go-on")).href = `${draft.form.dataset.register}&draft=${draft.number}`;
  let refusal = "";
  draft.registered = (product) => { link.href = product.page; };
  draft.refused = (failed) => { refusal = failed.message; };
  draft.summary = () => {
    const waits = !draft.done && !draft.wanted;
    part(".earlier-state").textContent = draft.done ? text("registered") : text("tally", `${draft.kept.length} / ${draft.items.length}`);
    const problems = draft.lost.map((item) => `${item.name}: ${item.part(".file-state").textContent}`);
    if (refusal && waits) problems.push(refusal);
    part(".earlier-problems").replaceChildren(...problems.map((said) => {
      const problem = document.createElement("li");
      problem.textContent = said;
      return problem;
    }));
    part(".retry").hidden = draft.done || !draft.items.some((item) => item.state === "broken");
    part(".without").hidden = !waits || !draft.kept.length;
    part(".go-on").hidden = !waits || !draft.kept.length;
  };
  afresh(draft);
  draft.summary();
  draft.finish();
}

/** Drop what was uploaded; the page is empty again. @param {Draft} draft */
async function discard(draft) {
  for (const item of draft.items) item.abort.abort();
  try {
    await send(draft.address("discard"), { method: "POST" });
  } catch (error) {
    if (!(error instanceof Failed)) throw error;
    showFailure(draft.part("[data-discard]"), error, () => discard(draft));
    return;
  }
  draft.done = true;
  drafts.splice(drafts.indexOf(draft), 1);
  for (const item of draft.items) item.dispose();
  afresh(draft);
}

const form = /** @type {HTMLFormElement | null} */ (document.querySelector("form[data-register]"));
if (form) {
  const first = new Draft(form, form.dataset.number ?? newNumber());
  start(first);
  const stored = document.getElementById("draft-images");
  if (stored) first.restore(JSON.parse(stored.textContent ?? "[]"));
  watchPage(
    (files) => current.add(files),
    (over) => current.form.classList.toggle("dragging", over),
  );
  document.addEventListener("image-kept", () => {
    const address = `${current.form.getAttribute("action")}&draft=${current.number}`;
    if (current.kept.length) window.history.replaceState(null, "", address); // a reload goes on with it
  });
  document.addEventListener("connection-back", () => {
    for (const draft of drafts) draft.retryAll();
  });
  window.addEventListener("beforeunload", (event) => {
    if (drafts.some((draft) => draft.busy || (draft !== current && !draft.done))) event.preventDefault();
  });
  // Back from the product by the browser's memory: what was registered is not to be filled again.
  window.addEventListener("pageshow", (event) => { if (event.persisted) window.location.reload(); });
}
