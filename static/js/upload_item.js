// @ts-check
// One image on its way: its line in the list, and what became of it.

import { Failed, send } from "./requests.js";

/** @typedef {{name: string, page: string}} Same a product that has the same image */
/** @typedef {{id?: string | null, name: string, thumbnail: string | null, message?: string | null, same?: Same[]}} Stored */
/** @typedef {"waiting" | "sending" | "kept" | "refused" | "broken"} State */

const STALLED_SECONDS = 60;

const texts = /** @type {HTMLElement | null} */ (document.querySelector(".texts"))?.dataset ?? {};
const template = /** @type {HTMLTemplateElement | null} */ (document.querySelector("template.file-row"));

/** @param {string} name of the text as in `data-…` @param {string} [what] in the place of %s @returns {string} */
export function text(name, what = "") {
  const key = name.replace(/-(\w)/g, (_dash, letter) => letter.toUpperCase());
  return (texts[key] ?? "").replace("%s", what);
}

/** An image in the list. */
export class Item {
  /**
   * @param {string} name the file's
   * @param {File | null} file null for one that was stored before the page was made
   * @param {Element} list
   */
  constructor(name, file, list) {
    this.name = name;
    this.file = file;
    /** @type {State} */
    this.state = "waiting";
    this.told = false; // whether the person went on knowing that it is not stored
    this.id = "";
    this.abort = new AbortController();
    this.row = /** @type {HTMLElement} */ (template?.content.firstElementChild?.cloneNode(true));
    this.part(".file-name").textContent = name;
    this.part(".file-name").title = name;
    this.bar = /** @type {HTMLProgressElement} */ (this.part("progress"));
    for (const button of this.row.querySelectorAll("[data-label]")) {
      button.setAttribute("aria-label", text(/** @type {HTMLElement} */ (button).dataset.label ?? "", name));
    }
    this.preview = /** @type {HTMLImageElement} */ (this.part("img"));
    this.preview.addEventListener("load", () => { this.preview.hidden = false; });
    if (file) this.preview.src = URL.createObjectURL(file);
    list.append(this.row);
    this.show("waiting", text("waiting"));
  }

  /** @param {string} selector @returns {HTMLElement} */
  part(selector) {
    return /** @type {HTMLElement} */ (this.row.querySelector(selector));
  }

  /** Whether it was turned away or broke off. */
  get lost() {
    return this.state === "refused" || this.state === "broken";
  }

  get busy() {
    return this.state === "waiting" || this.state === "sending";
  }

  /** @param {State} state @param {string} said */
  show(state, said) {
    this.state = state;
    this.told &&= this.lost;
    this.row.dataset.state = state;
    this.part(".file-state").textContent = said;
    this.part(".retry").hidden = state !== "broken";
    this.bar.hidden = state !== "sending";
  }

  /** @param {Stored} stored */
  keep(stored) {
    this.id = stored.id ?? "";
    this.show("kept", text("kept"));
    if (stored.thumbnail && this.preview.hidden) this.preview.src = stored.thumbnail; // not every browser shows HEIC
    this.tellSame(stored.same ?? []);
  }

  /** Say which products have the same image; a link each, because it may have been meant for one of them. @param {Same[]} products */
  tellSame(products) {
    if (!products.length) return;
    const links = products.map((product) => {
      const link = document.createElement("a");
      link.href = product.page;
      link.textContent = product.name;
      return link;
    });
    const note = document.createElement("span");
    note.className = "same";
    note.append(`${text("same")} `, ...links.flatMap((link, index) => (index ? [", ", link] : [link])));
    this.part(".file-state").append(note);
  }

  /**
   * Send it, and show what becomes of it.
   * @param {string} address
   * @param {number} place among the product's images: a small file may arrive before a large one
   * @param {(id: string) => boolean} [isMissing] whether no image of the page is that one: then it was stored the last
   *   time, and only the answer got lost
   * @returns {Promise<any>} the server's answer, null if it was not stored
   */
  async send(address, place, isMissing = () => false) {
    const body = new FormData();
    body.append("place", String(place));
    body.append("images", /** @type {File} */ (this.file), this.name);
    this.show("sending", text("sending"));
    const progress = (/** @type {number} */ share) => {
      this.bar.value = share;
      this.show("sending", share < 1 ? `${Math.floor(100 * share)} %` : text("checking"));
    };
    try {
      const { data } = await send(address, { body, key: "", progress, seconds: STALLED_SECONDS, signal: this.abort.signal });
      const [entry] = data.received;
      if (entry.message && !(entry.id && isMissing(entry.id))) {
        this.show("refused", entry.message);
        return null;
      }
      this.keep(entry);
      return data;
    } catch (error) {
      const failed = error instanceof Failed ? error : new Failed("unreadable", text("failed"));
      if (failed.kind !== "cancelled") this.show(failed.retriable ? "broken" : "refused", failed.message);
      return null;
    }
  }

  dispose() {
    this.abort.abort();
    if (this.file) URL.revokeObjectURL(this.preview.src);
    this.row.remove();
  }
}
