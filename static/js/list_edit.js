// @ts-check
// Editing in the rows of the list: name and SKU as text, values in a combobox. Enter saves, Escape leaves it as it was.

import { enhance } from "./combobox.js";
import { replaceRow } from "./list_rows.js";
import { Failed, send } from "./requests.js";
import { toast } from "./toast.js";

const LENGTHS = /** @type {Record<string, number>} */ ({ name: 200, sku: 64 });

/** @param {string} name */
const text = (name) => document.getElementById("editors")?.dataset[name] ?? "";

/** An editor in the place of what a button shows. */
class Editor {
  /** @param {HTMLButtonElement} button */
  constructor(button) {
    this.button = button;
    this.field = button.dataset.edit ?? "";
    this.before = button.dataset.value ?? "";
    this.saving = false;
    this.box = document.createElement("span");
    this.box.className = "editor";
    this.control = this.field in LENGTHS ? this.asText() : this.asValue();
    this.shown = /** @type {HTMLElement} */ (button.closest(".line") ?? button);
    this.shown.hidden = true;
    this.shown.after(this.box);
    this.box.addEventListener("keydown", (event) => this.key(event));
    this.box.addEventListener("focusout", (event) => {
      if (!(event.relatedTarget instanceof Node && this.box.contains(event.relatedTarget))) this.leave();
    });
    this.input = this.control instanceof HTMLSelectElement ? enhance(this.control) : this.control;
    this.input.focus({ preventScroll: true });
    if (this.control instanceof HTMLSelectElement) this.input.click(); // opens the list
    else this.input.select();
  }

  /** The row as it is now: it may have been replaced meanwhile. */
  get row() {
    return /** @type {HTMLElement} */ (this.box.closest("[data-row]"));
  }

  asText() {
    const input = document.createElement("input");
    input.type = "text";
    input.value = this.before;
    input.maxLength = LENGTHS[this.field] ?? 0;
    input.autocomplete = "off";
    input.setAttribute("aria-label", text(this.field));
    this.box.append(input);
    return input;
  }

  asValue() {
    const template = /** @type {HTMLTemplateElement} */ (
      document.querySelector(`template[data-options="${CSS.escape(this.field)}"]`)
    );
    const part = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
    const select = /** @type {HTMLSelectElement} */ (part.querySelector("select"));
    this.box.append(select);
    select.value = this.before;
    if (select.selectedIndex < 0) select.value = "";
    select.addEventListener("change", () => this.save());
    select.addEventListener("confirm", () => this.save()); // what is proposed is confirmed
    return select;
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.isComposing || event.defaultPrevented) return;
    if (event.key === "Escape") this.close(true);
    else if (event.key === "Enter" && !(this.control instanceof HTMLSelectElement)) this.save();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** The focus went elsewhere: what was typed is saved, a value that was not chosen is not. */
  leave() {
    if (this.saving || !this.box.isConnected) return;
    const changed = !(this.control instanceof HTMLSelectElement) && this.control.value.trim() !== this.before;
    if (changed) this.save();
    else this.close(false);
  }

  /** @param {boolean} back whether the focus goes back to what was edited */
  close(back) {
    this.saving = true; // what removing it does to the focus is no answer
    this.box.remove();
    this.shown.hidden = false;
    if (back) this.button.focus({ preventScroll: true });
  }

  async save() {
    if (this.saving) return;
    const value = this.control.value;
    const unchanged = value === this.before && (!(this.control instanceof HTMLSelectElement) || !this.button.matches(".proposed"));
    if (unchanged) {
      this.close(true);
      return;
    }
    this.saving = true;
    this.box.setAttribute("aria-busy", "true");
    this.refuse("");
    const { row } = this;
    try {
      const { data } = await send(row.dataset.editUrl ?? "", {
        body: { field: this.field, value, version: row.dataset.version ?? "", query: listQuery() },
      });
      this.done(data);
    } catch (problem) {
      this.saving = false;
      this.box.removeAttribute("aria-busy");
      if (!(problem instanceof Failed)) throw problem;
      if (problem.data?.version) row.dataset.version = String(problem.data.version); // who saves again has read why
      this.refuse(problem.message);
    }
  }

  /** @param {{row: string, message: string, undo: {url: string, token: string} | null}} data */
  done(data) {
    const focused = this.box.contains(document.activeElement) || document.activeElement === document.body;
    const fresh = replaceRow(this.row, data.row);
    const again = `[data-edit="${CSS.escape(this.field)}"]`;
    if (focused) /** @type {HTMLElement | null} */ (fresh.querySelector(again))?.focus({ preventScroll: true });
    const { undo } = data;
    toast(data.message, undo ? { undo: () => takeBack(fresh.dataset.row ?? "", undo) } : {});
  }

  /** Say under the field why it was not saved. @param {string} reason */
  refuse(reason) {
    this.box.querySelector(".refusal")?.remove();
    this.input.removeAttribute("aria-invalid");
    if (!reason) return;
    const note = document.createElement("span");
    note.className = "refusal";
    note.setAttribute("role", "alert");
    note.textContent = reason;
    this.box.append(note);
    this.input.setAttribute("aria-invalid", "true");
    this.input.focus({ preventScroll: true });
  }
}

function listQuery() {
  return document.getElementById("results")?.dataset.query ?? "";
}

/** @param {string} number @param {{url: string, token: string}} undo */
async function takeBack(number, undo) {
  const { data } = await send(undo.url, { body: { token: undo.token } });
  const rows = document.getElementById("rows");
  const query = new URLSearchParams(listQuery());
  query.set("row", `${number}.`);
  const found = await send(`${rows?.dataset.follow}?${query}`);
  const row = document.getElementById(`row-${number}`);
  const html = found.data.rows[number];
  if (row && html) replaceRow(row, html);
  toast(data.message);
}

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("#rows button[data-edit]") : null;
  if (button instanceof HTMLButtonElement) new Editor(button);
});
