// @ts-check
// Adds images to a product that exists, from its page: each is stored as it comes. The form works without this, too.

import { looked, watchField, watchPage } from "./files_in.js";
import { Item, text } from "./upload_item.js";

const PARALLEL = 3;

/** @param {HTMLFormElement} form */
function watch(form) {
  const list = /** @type {HTMLElement} */ (form.querySelector(".files"));
  const address = form.dataset.images ?? "";
  const most = Number(form.dataset.mostBytes) || Infinity;
  /** @type {Item[]} */
  let items = [];
  let places = Number(form.dataset.places); // how many are taken

  const pump = () => {
    let sending = items.filter((item) => item.state === "sending").length;
    for (const item of items) {
      if (sending >= PARALLEL) break;
      if (item.state !== "waiting") continue;
      sending += 1;
      item.send(address, places++).then(pump);
    }
    if (items.some((item) => item.busy) || !items.some((item) => item.state === "kept")) return;
    for (const item of items) if (item.state === "kept") item.dispose();
    items = items.filter((item) => item.state !== "kept");
    document.dispatchEvent(new CustomEvent("images-added"));
  };

  const add = async (/** @type {File[]} */ files) => {
    for (const file of files) {
      const item = new Item(file.name, file, list);
      item.part(".dismiss").addEventListener("click", () => {
        items.splice(items.indexOf(item), 1);
        item.dispose();
        pump();
      });
      item.part(".retry").addEventListener("click", () => {
        item.show("waiting", text("waiting"));
        pump();
      });
      items.push(item);
      const { problem } = await looked(file, most);
      if (problem) item.show("refused", text(problem));
    }
    pump();
  };

  const input = /** @type {HTMLInputElement} */ (form.querySelector("input[type=file]"));
  watchField(input, add);
  form.addEventListener("submit", (event) => event.preventDefault());
  watchPage(add, (over) => form.classList.toggle("dragging", over));
  document.addEventListener("connection-back", () => {
    for (const item of items) if (item.state === "broken") item.show("waiting", text("waiting"));
    pump();
  });
  window.addEventListener("beforeunload", (event) => {
    if (items.some((item) => item.busy)) event.preventDefault();
  });
}

const form = /** @type {HTMLFormElement | null} */ (document.querySelector("form[data-upload][data-images]"));
if (form) watch(form);
