// @ts-check
// A value found by typing: an ARIA combobox over a <select>, which stays the form's control and works without it.
//
// Give the select `data-combobox`; its options may say `data-name` (shown without what follows it) and `data-words` (what
// else finds them, separated by "|"). Another script that sets the select's value dispatches "change" on it, or calls
// `refresh(select)`. A part of a page that came later is made ready by `enhanceAll(part)`.

import { match } from "./matching.js";

export { match } from "./matching.js";

/** @typedef {import("./matching.js").Entry & {option: HTMLOptionElement, share: string}} Choice */

const EXACT = 100;
/** @type {WeakMap<HTMLSelectElement, Combobox>} */
const made = new WeakMap();
let count = 0;

/** @returns {DOMStringMap} */
function texts() {
  return document.getElementById("combobox-texts")?.dataset ?? {};
}

/** @param {string} tag @param {Record<string, string>} attributes @param {string} [text] */
function element(tag, attributes, text = "") {
  const one = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) one.setAttribute(name, value);
  one.textContent = text;
  return one;
}

/** What a screen reader is told of how many values are left. @param {string} text */
function say(text) {
  const id = "combobox-said";
  let place = document.getElementById(id);
  if (!place) {
    place = element("div", { id, role: "status", class: "visually-hidden" });
    document.body.append(place);
  }
  place.textContent = text;
}

class Combobox {
  /** @param {HTMLSelectElement} select */
  constructor(select) {
    const id = select.id || `combobox-${(count += 1)}`;
    this.select = select;
    this.typed = false; // whether the text is a search and not yet a value
    this.active = -1;
    /** @type {{choice: Choice, element: HTMLElement}[]} */
    this.shown = [];
    this.input = /** @type {HTMLInputElement} */ (element("input", {
      id: `${id}-input`, type: "text", role: "combobox", autocomplete: "off", spellcheck: "false", autocapitalize: "none",
      "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": `${id}-list`, class: "combobox-input",
    }));
    this.list = element("div", { id: `${id}-list`, role: "listbox" });
    this.list.hidden = true;
    for (const name of ["aria-label", "aria-labelledby", "aria-describedby", "required"]) {
      const value = select.getAttribute(name);
      if (value !== null) this.input.setAttribute(name, value);
    }
    const labels = [...select.labels];
    for (const label of labels) if (label.htmlFor === select.id) label.htmlFor = this.input.id;
    const name = select.getAttribute("aria-label") ?? labels.map((label) => label.textContent?.trim()).join(" ");
    if (name) this.list.setAttribute("aria-label", name);
    const box = element("span", { class: "combobox" });
    select.after(box);
    box.append(this.input, this.list);
    select.hidden = true;
    this.listen(box);
    this.show();
  }

  /** @returns {Choice[]} the select's options, as they are now */
  get choices() {
    return [...this.select.options].filter((option) => !option.disabled).map((option) => {
      const text = option.textContent?.trim() ?? "";
      const name = option.dataset.name ?? text;
      return {
        option, name, code: option.value, share: text.startsWith(name) ? text.slice(name.length).replace(/^[\s·]+/u, "") : "",
        group: option.parentElement instanceof HTMLOptGroupElement ? option.parentElement.label : "",
        aliases: (option.dataset.words ?? "").split("|").filter(Boolean),
      };
    });
  }

  get open() {
    return !this.list.hidden;
  }

  /** Write the value that the select has now. */
  show() {
    const option = this.select.selectedOptions[0];
    this.input.value = option?.dataset.name ?? option?.textContent?.trim() ?? "";
    this.input.disabled = this.select.disabled;
    this.typed = false;
  }

  /** @param {HTMLElement} box */
  listen(box) {
    this.select.addEventListener("change", () => this.show());
    this.input.addEventListener("change", (event) => event.stopPropagation()); // the select's own is the one that counts
    this.input.addEventListener("focus", () => this.input.select());
    this.input.addEventListener("click", () => { if (!this.open) this.unfold(); });
    this.input.addEventListener("input", () => {
      this.typed = true;
      this.unfold(this.input.value);
    });
    this.input.addEventListener("keydown", (event) => this.key(event));
    box.addEventListener("focusout", (event) => {
      if (!(event.relatedTarget instanceof Node && box.contains(event.relatedTarget))) this.leave();
    });
    this.list.addEventListener("pointerdown", (event) => event.preventDefault()); // the focus stays in the field
    this.list.addEventListener("click", (event) => {
      const chosen = this.shown.find(({ element: one }) => event.target instanceof Node && one.contains(event.target));
      if (chosen) this.choose(chosen.choice);
    });
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.isComposing) return; // the key is the input method's
    const { key } = event;
    if (key === "ArrowDown" || key === "ArrowUp") {
      event.preventDefault();
      if (!this.open) this.unfold();
      else this.move(this.active + (key === "ArrowDown" ? 1 : -1));
    } else if (key === "Enter") {
      const shortcut = event.ctrlKey || event.metaKey; // it saves the form, with what is in this field
      if (!shortcut) event.preventDefault();
      if (this.open) this.accept();
      else if (!shortcut) this.unfold();
    } else if (key === "Escape" && (this.open || this.typed)) {
      event.preventDefault();
      event.stopPropagation();
      this.fold();
      this.show();
      this.input.select();
    } else if (key === "Tab" && this.open && this.typed) {
      this.accept();
    }
  }

  /** Choose what is marked in the list. */
  accept() {
    const chosen = this.shown[this.active];
    if (chosen) this.choose(chosen.choice);
  }

  /** Left without choosing: what was typed whole is taken, anything else was only a search. */
  leave() {
    if (this.typed) {
      const [best] = this.found(this.input.value);
      if (best && match(this.input.value, best) >= EXACT) this.choose(best);
    }
    this.fold();
    this.show();
  }

  /** @param {string} query @returns {Choice[]} all, or those that answer to it with the best first */
  found(query) {
    const choices = this.choices;
    if (!query.trim()) return choices;
    const scored = choices.filter((choice) => choice.code).map((choice) => ({ choice, score: match(query, choice) }));
    return scored.filter(({ score }) => score > 0).sort((one, two) => two.score - one.score).map(({ choice }) => choice);
  }

  /** Open the list. @param {string} [query] narrows it down */
  unfold(query = "") {
    const found = this.found(query);
    this.shown = [];
    const parts = query ? [this.part("", found, query)] : this.grouped(found);
    this.list.replaceChildren(...parts);
    if (!found.length) {
      this.list.append(element("div", { class: "none", role: "option", "aria-disabled": "true", "aria-selected": "false" }, texts().none));
    }
    this.list.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
    this.place();
    const selected = this.shown.findIndex(({ choice }) => choice.option.selected);
    this.move(query ? 0 : Math.max(selected, 0));
    if (query) say(found.length ? (texts().count ?? "").replace("#", String(found.length)) : texts().none ?? "");
  }

  /** @param {Choice[]} choices */
  grouped(choices) {
    /** @type {Map<string, Choice[]>} */
    const groups = new Map();
    for (const choice of choices) groups.set(choice.group ?? "", [...(groups.get(choice.group ?? "") ?? []), choice]);
    return [...groups].map(([label, members]) => this.part(label, members, ""));
  }

  /** @param {string} label @param {Choice[]} choices @param {string} query */
  part(label, choices, query) {
    const group = element("div", label ? { role: "group", "aria-label": label } : { role: "presentation" });
    if (label) group.append(element("div", { class: "group", "aria-hidden": "true" }, label));
    for (const choice of choices) {
      const one = element("div", {
        id: `${this.list.id}-${this.shown.length}`, role: "option", "aria-selected": String(choice.option.selected),
      });
      one.append(element("span", {}, choice.name), element("small", {}, query ? choice.group || choice.share : choice.share));
      group.append(one);
      this.shown.push({ choice, element: one });
    }
    return group;
  }

  /** Below the field, or above it where there is more room. */
  place() {
    const { top, bottom } = this.input.getBoundingClientRect();
    const above = window.innerHeight - bottom < Math.min(this.list.offsetHeight + 8, top);
    this.list.style.top = above ? "auto" : "";
    this.list.style.bottom = above ? "calc(100% + 4px)" : "";
  }

  /** Mark another one of the list. @param {number} place */
  move(place) {
    this.shown[this.active]?.element.classList.remove("active");
    this.active = this.shown.length ? (place + this.shown.length) % this.shown.length : -1;
    const chosen = this.shown[this.active];
    if (!chosen) {
      this.input.removeAttribute("aria-activedescendant");
      return;
    }
    chosen.element.classList.add("active");
    this.input.setAttribute("aria-activedescendant", chosen.element.id);
    const { offsetTop, offsetHeight } = chosen.element;
    if (offsetTop < this.list.scrollTop) this.list.scrollTop = offsetTop;
    const beyond = offsetTop + offsetHeight - this.list.clientHeight;
    if (beyond > this.list.scrollTop) this.list.scrollTop = beyond;
  }

  /** @param {Choice} choice */
  choose(choice) {
    this.fold();
    const before = this.select.value;
    this.select.value = choice.code;
    this.show();
    if (before !== choice.code) this.select.dispatchEvent(new Event("change", { bubbles: true }));
    else this.select.dispatchEvent(new Event("confirm", { bubbles: true })); // chosen again: looked at
  }

  fold() {
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
    this.active = -1;
  }
}

/** Make a select a combobox; returns the field to type in. @param {HTMLSelectElement} select @returns {HTMLInputElement} */
export function enhance(select) {
  const known = made.get(select) ?? new Combobox(select);
  made.set(select, known);
  return known.input;
}

/** Make every select with `data-combobox` within a part of the page one. @param {ParentNode} [root] */
export function enhanceAll(root = document) {
  for (const select of root.querySelectorAll("select[data-combobox]")) enhance(/** @type {HTMLSelectElement} */ (select));
}

/** Show what a select says after a script changed it. @param {HTMLSelectElement} select */
export function refresh(select) {
  made.get(select)?.show();
}
