// @ts-check
// The list of products: filters that answer at once, and rows that follow what happens. Editing is in list_edit.js.

import { send } from "./requests.js";
import { replaceRow } from "./list_rows.js";
import "./list_edit.js";

const TYPING_MS = 250;
const SOON_MS = 3_000; // while something on the page is being classified
const LATER_MS = 15_000;
const LATEST_MS = 120_000; // between tries when the last ones failed

const form = /** @type {HTMLFormElement} */ (document.getElementById("filters"));
/** @type {AbortController | undefined} */
let asking;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let typing;

/** @returns {HTMLElement} */
const results = () => /** @type {HTMLElement} */ (document.getElementById("results"));

// --- Filters --------------------------------------------------------------------------------------------------------

/** The list's address as the filters are set now. */
function address() {
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(form)) {
    if (value && !(name === "sort" && value === "newest")) query.append(name, String(value));
  }
  const text = query.toString();
  return text ? `?${text}` : "?";
}

/** Show the list at another address, without leaving the page. @param {string} query */
async function show(query) {
  asking?.abort();
  const own = (asking = new AbortController());
  results().setAttribute("aria-busy", "true");
  try {
    const { data } = await send(form.action + (query === "?" ? "" : query), { accept: "text/html", signal: own.signal });
    if (own.signal.aborted) return;
    const page = new DOMParser().parseFromString(data, "text/html");
    const found = page.getElementById("results");
    if (!found) {
      location.assign(form.action + query);
      return;
    }
    results().replaceWith(document.adoptNode(found));
    const layouts = page.querySelector(".tools .segments");
    if (layouts) document.querySelector(".tools .segments")?.replaceWith(document.adoptNode(layouts));
    const shown = found.dataset.query ?? "?";
    for (const field of document.querySelectorAll("form[data-with-query] input[name=query]")) {
      /** @type {HTMLInputElement} */ (field).value = shown;
    }
    history.replaceState(null, "", form.action + (shown === "?" ? "" : shown));
    follow();
  } catch (problem) {
    if (own.signal.aborted) return;
    const { showFailure } = await import("./failures.js");
    showFailure(form, /** @type {import("./requests.js").Failed} */ (problem), () => show(query));
  } finally {
    if (asking === own) results().removeAttribute("aria-busy");
  }
}

/** Write how many boxes of each menu are ticked. */
function count() {
  let all = 0;
  for (const menu of form.querySelectorAll("details")) {
    const fields = [...menu.querySelectorAll("input, select")].map((one) => /** @type {HTMLInputElement} */ (one));
    const used = fields.filter((one) => (one.type === "checkbox" ? one.checked : one.value)).length;
    const place = menu.querySelector("[data-count]");
    if (place) place.textContent = used ? String(used) : "";
    menu.classList.toggle("used", used > 0);
    all += used;
  }
  const total = form.querySelector("[data-used]");
  if (total) total.textContent = all ? String(all) : "";
}

form.addEventListener("input", (event) => {
  count();
  clearTimeout(typing);
  const text = event.target instanceof HTMLInputElement && event.target.type === "search";
  typing = setTimeout(() => show(address()), text ? TYPING_MS : 0);
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(typing);
  show(address());
});
count();

// On a phone the filters would take the place of the first products.
const toggle = form.querySelector(".filters-shown");
toggle?.addEventListener("click", () => toggle.setAttribute("aria-expanded", String(toggle.getAttribute("aria-expanded") !== "true")));

// A menu's part that few need is read when it is opened.
document.addEventListener("toggle", async (event) => {
  const place = event.target instanceof HTMLDetailsElement && event.target.open ? event.target.querySelector("[data-load]") : null;
  if (!(place instanceof HTMLElement)) return;
  const { data } = await send(place.dataset.load ?? "", { accept: "text/html" });
  place.removeAttribute("data-load");
  place.innerHTML = data;
}, true);

// --- What happens meanwhile -----------------------------------------------------------------------------------------

/** @type {ReturnType<typeof setTimeout> | undefined} */
let next;
let failures = 0;

function follow() {
  clearTimeout(next);
  const soon = document.querySelector("#rows [data-status=classifying]") !== null;
  const pause = Math.min((soon ? SOON_MS : LATER_MS) * 2 ** failures, LATEST_MS);
  next = setTimeout(look, pause);
}

/** Ask which rows have changed, and put them in their places. */
async function look() {
  const rows = document.getElementById("rows");
  if (!rows || document.hidden) return; // the page asks again when it is looked at
  const query = new URLSearchParams(results().dataset.query);
  for (const row of rows.querySelectorAll("[data-row]")) {
    const { row: number, mark } = /** @type {HTMLElement} */ (row).dataset;
    query.append("row", `${number}.${mark}`);
  }
  if (rows.dataset.first) query.set("first", rows.dataset.first);
  try {
    const { data } = await send(`${rows.dataset.follow}?${query}`);
    failures = 0;
    if (document.getElementById("rows") === rows) update(data);
  } catch {
    failures += 1; // what is wrong with the connection is said by connection.js
  }
  follow();
}

/** @param {{rows: Record<string, string>, gone: string[], new: number}} found */
function update(found) {
  for (const [number, html] of Object.entries(found.rows)) {
    const row = document.getElementById(`row-${number}`);
    if (row && !row.querySelector(".editor")) replaceRow(row, html);
  }
  for (const number of found.gone) document.getElementById(`row-${number}`)?.classList.add("gone");
  const news = document.getElementById("news");
  if (!news) return;
  const { one, many, most } = news.dataset;
  const number = found.new >= Number(most) ? `${most}+` : String(found.new);
  news.textContent = ((found.new === 1 ? one : many) ?? "").replace("%n", number);
  news.hidden = found.new === 0;
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) clearTimeout(next);
  else look();
});
document.addEventListener("products:changed", (event) => {
  event.preventDefault(); // the list is read again here, so the page need not be
  show(results().dataset.query ?? "?");
});
follow();
