// @ts-check
// The taxonomy's lists are put in order where they are shown; without this script the buttons send a form each.

import { sortable } from "../js/order.js";

const page = /** @type {HTMLElement} */ (document.querySelector(".taxonomy"));
const said = /** @type {HTMLElement} */ (page.querySelector(".taxonomy-said"));
const token = /** @type {HTMLInputElement} */ (page.querySelector("[name=csrfmiddlewaretoken]")).value;
let last = Promise.resolve();

/** @param {HTMLElement} list */
async function store(list) {
  const body = new FormData();
  body.append("attribute", list.dataset.attribute ?? "");
  body.append("parent", list.dataset.parent ?? "");
  for (const entry of list.children) body.append("id", /** @type {HTMLElement} */ (entry).dataset.id ?? "");
  said.classList.remove("taxonomy-alarm");
  try {
    const answer = await fetch(page.dataset.order ?? "", { method: "POST", body, headers: { "X-CSRFToken": token } });
    if (answer.status === 204) {
      said.textContent = page.dataset.stored ?? "";
      return;
    }
    const why = answer.headers.get("Content-Type")?.includes("json") ? (await answer.json()).message : "";
    said.textContent = why || page.dataset.failed || "";
  } catch {
    said.textContent = page.dataset.failed ?? "";
  }
  said.classList.add("taxonomy-alarm");
}

for (const list of /** @type {NodeListOf<HTMLElement>} */ (page.querySelectorAll("[data-group]"))) {
  sortable(list, () => {
    last = last.then(() => store(list)); // one after the other: the last order is the one that stays
  });
  list.addEventListener("click", (event) => {
    if (/** @type {Element} */ (event.target).closest(".earlier, .later")) event.preventDefault();
  });
  // A list within another one: what is done in it is not done in the outer one, too.
  for (const kind of ["click", "keydown", "pointerdown"]) list.addEventListener(kind, (event) => event.stopPropagation());
}
for (const handle of /** @type {NodeListOf<HTMLElement>} */ (page.querySelectorAll(".handle"))) handle.hidden = false;
