// @ts-check
// The page for a new product. Images go into a draft as they come; a product is made of it when the person says so, and
// once. The same form works without this script as a plain one.

import { clearFailure, showFailure } from "./failures.js";
import { looked, watchField } from "./files_in.js";
import { sortable } from "./order.js";
import { Failed, send } from "./requests.js";
import { Item, text } from "./upload_item.js";

const PARALLEL = 3;
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"; // core/ids.py
const ID_LENGTH = 20;

/** A random number for a draft: the product that is made of it has the same, so that it is made once. */
export function newNumber() {
  return Array.from(crypto.getRandomValues(new Uint8Array(ID_LENGTH)), (byte) => ALPHABET[byte % ALPHABET.length]).join("");
}

/** What becomes one product. */
export class Draft {
  /** @param {HTMLFormElement} form @param {string} number */
  constructor(form, number) {
    this.form = form;
    this.number = number;
    this.pristine = /** @type {HTMLFormElement} */ (form.cloneNode(true));
    /** @type {Item[]} */
    this.items = [];
    this.list = /** @type {HTMLElement} */ (form.querySelector(".files"));
    this.most = Number(form.dataset.mostBytes);
    this.wanted = false; // whether it is to be registered as soon as everything is through
    this.done = false;
    this.timer = 0;
    /** @type {() => void} */
    this.summary = () => {};
    this.field("draft").value = number;
    for (const name of ["name", "sku"]) this.field(name).addEventListener("change", () => this.save());
    this.part("[data-retry-all]").addEventListener("click", () => this.retryAll());
    sortable(this.list, (row) => this.moved(row));
    for (const input of form.querySelectorAll("input[type=file]")) {
      watchField(/** @type {HTMLInputElement} */ (input), (files) => this.add(files));
    }
  }

  /** @param {string} selector @returns {HTMLElement} */
  part(selector) {
    return /** @type {HTMLElement} */ (this.form.querySelector(selector));
  }

  /** @param {string} name @returns {HTMLInputElement} */
  field(name) {
    return /** @type {HTMLInputElement} */ (this.form.elements.namedItem(name));
  }

  /** @param {"images" | "save" | "discard"} name @returns {string} */
  address(name) {
    return (this.form.dataset[name] ?? "").replace("NUMBER", this.number);
  }

  get busy() {
    return this.items.some((item) => item.busy);
  }

  get kept() {
    return this.items.filter((item) => item.state === "kept");
  }

  get lost() {
    return this.items.filter((item) => item.lost);
  }

  /** The images in the order of the page. */
  get inOrder() {
    return [...this.list.children].map((row) => /** @type {Item} */ (this.items.find((item) => item.row === row)));
  }

  /** @param {File[]} files */
  async add(files) {
    this.complain("");
    const items = files.map((file) => this.put(new Item(file.name, file, this.list)));
    for (const item of items) {
      const { problem } = await looked(/** @type {File} */ (item.file), this.most);
      if (problem) item.show("refused", text(problem));
    }
    this.pump();
  }

  /** @param {Item} item */
  put(item) {
    item.part(".dismiss").addEventListener("click", () => this.remove(item));
    item.part(".retry").addEventListener("click", () => this.retry([item]));
    item.part(".handle").addEventListener("keydown", (event) => { if (event.key === "Delete") this.remove(item); });
    this.items.push(item);
    this.changed();
    return item;
  }

  /** Show the images that were stored before the page was made. @param {import("./upload_item.js").Stored[]} images */
  restore(images) {
    for (const image of images) this.put(new Item(image.name, null, this.list)).keep(image);
    this.changed();
  }

  pump() {
    let sending = this.items.filter((item) => item.state === "sending").length;
    for (const item of this.items) {
      if (sending >= PARALLEL) break;
      if (item.state !== "waiting") continue;
      sending += 1;
      this.send(item);
    }
    this.changed();
  }

  /** @param {Item} item */
  async send(item) {
    const place = this.inOrder.indexOf(item);
    const stored = await item.send(this.address("images"), place, (id) => !this.items.some((one) => one.id === id));
    if (stored && !this.items.includes(item)) await this.forget(item); // removed while it was on its way
    else if (stored && this.inOrder.indexOf(item) !== place) this.save();
    if (stored) document.dispatchEvent(new CustomEvent("image-kept"));
    this.pump();
    this.finish();
  }

  /** @param {Item[]} items */
  retry(items) {
    for (const item of items) item.show("waiting", text("waiting"));
    this.pump();
  }

  retryAll() {
    this.retry(this.items.filter((item) => item.state === "broken"));
  }

  /** @param {Item} item */
  async remove(item) {
    const neighbour = item.row.nextElementSibling ?? item.row.previousElementSibling;
    this.items.splice(this.items.indexOf(item), 1);
    const { id } = item;
    if (!item.busy) item.dispose();
    else item.row.remove(); // if it arrives all the same, it is taken out then
    (/** @type {HTMLElement | null} */ (neighbour?.querySelector(".handle")) ?? this.field("images")).focus();
    this.changed();
    if (id) await this.forget(item);
    this.finish();
  }

  /** Take a stored image out of the draft. @param {Item} item */
  async forget(item) {
    try {
      await send(`${this.address("images")}/${item.id}/remove`, { method: "POST" });
    } catch (error) {
      if (error instanceof Failed && error.kind !== "gone") showFailure(this.list, error, () => this.forget(item));
    }
  }

  /** @param {HTMLElement} row */
  moved(row) {
    const item = this.inOrder.find((one) => one.row === row);
    this.part("[data-said]").textContent = text("moved", `${[...this.list.children].indexOf(row) + 1}`).replace("%n", item?.name ?? "");
    this.changed();
    this.save();
  }

  /** Let the server remember what a reload would lose, and say what is wrong with name and SKU. */
  save() {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.saveNow()); // soon: somebody may leave. Once for all that changes with it
  }

  async saveNow() {
    if (!this.kept.length || this.done || this.wanted) return;
    try {
      const { data } = await send(this.address("save"), { body: this.said(), key: `save ${this.number}` });
      for (const name of ["name", "sku"]) this.complainOf(name, data.complaints[name] ?? "");
    } catch { // it is said when it is registered
    }
  }

  /** @returns {FormData} */
  said() {
    const body = new FormData();
    body.append("draft", this.number);
    body.append("name", this.field("name").value);
    body.append("sku", this.field("sku").value);
    for (const item of this.inOrder) if (item.id) body.append("order", item.id);
    return body;
  }

  /** @param {string} said */
  complain(said) {
    const problem = this.part("[data-problem]");
    problem.textContent = said;
    problem.hidden = !said;
    clearFailure(problem);
  }

  /** @param {string} name of a field @param {string} said */
  complainOf(name, said) {
    const place = this.part(`#${name}-problem`);
    place.textContent = said;
    place.hidden = !said;
    this.field(name).toggleAttribute("aria-invalid", Boolean(said));
  }

  /** Show the state of the whole. */
  changed() {
    const { length } = this.items;
    const broken = this.items.filter((item) => item.state === "broken").length;
    this.form.classList.toggle("has-files", length > 0);
    this.part("[data-tally]").textContent = length ? text("tally", `${this.kept.length} / ${length}`) : "";
    this.part("[data-retry-all]").hidden = broken < 2;
    this.part("[data-discard]").hidden = !length;
    this.summary();
  }

  /** The person says that this is to be a product. @returns {boolean} whether there is anything to make it of */
  want() {
    if (!this.items.length || (!this.busy && !this.kept.length)) {
      this.complain(text(this.items.length ? "nothing-stored" : "none"));
      this.field("images").focus();
      return false;
    }
    for (const item of this.lost) item.told = true;
    this.wanted = true;
    this.complain("");
    this.form.classList.toggle("registering", this.busy);
    return true;
  }

  /** Register it if the person wants that, and everything is through or known to be lost. */
  async finish() {
    if (!this.wanted || this.busy || this.done) return;
    this.form.classList.remove("registering");
    if (!this.kept.length || this.lost.some((item) => !item.told)) {
      this.wanted = false;
      this.complain(text(this.kept.length ? "lost" : "nothing-stored"));
      this.summary();
      return;
    }
    window.clearTimeout(this.timer);
    try {
      const { data } = await send(this.form.dataset.register ?? "", { body: this.said(), key: `register ${this.number}` });
      this.done = true;
      this.registered(data.product);
    } catch (error) {
      this.wanted = false;
      this.refused(error instanceof Failed ? error : new Failed("unreadable", text("failed")));
    }
    this.summary();
  }

  /** @param {{page: string}} product */
  registered(product) {
    window.location.assign(product.page);
  }

  /** @param {Failed} failed */
  refused(failed) {
    const name = failed.code.startsWith("sku") ? "sku" : failed.code.startsWith("name") ? "name" : "";
    if (name) {
      this.complainOf(name, failed.message);
      this.field(name).focus();
    } else {
      showFailure(this.part("[data-problem]"), failed, () => { if (this.want()) this.finish(); });
    }
  }
}
