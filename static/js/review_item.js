// @ts-check
// One product of the review: its questions, what is chosen, and what that says to the server.

/** @typedef {{id: string, version: number, html: string}} Sent what the server hands out */

/** @param {Element} line @returns {HTMLInputElement[]} */
const radios = (line) => [...line.querySelectorAll("input[type=radio]")].map((one) => /** @type {HTMLInputElement} */ (one));

/** @param {Element | null} line @returns {HTMLInputElement | undefined} */
const checked = (line) => (line ? radios(line).find((one) => one.checked) : undefined);

export class Item {
  /** @param {Sent} sent */
  constructor(sent) {
    const template = document.createElement("template");
    template.innerHTML = sent.html;
    this.id = sent.id;
    this.version = sent.version;
    this.element = /** @type {HTMLElement} */ (template.content.firstElementChild);
    this.element.hidden = true;
    this.form = /** @type {HTMLFormElement} */ (this.element.querySelector("form"));
    this.name = this.element.dataset.name ?? "";
    /** @type {string | null} what takes the answer back, once the server has sent it */
    this.undo = null;
    /** @type {Promise<unknown>} */
    this.ready = Promise.resolve();
    /** @type {Set<Element>} lines that were asked and have been answered */
    this.seen = new Set();
    this.element.addEventListener("change", (event) => this.changed(/** @type {HTMLInputElement} */ (event.target)));
    this.element.addEventListener("focusin", (event) => this.focused(/** @type {Element} */ (event.target)));
    this.element.addEventListener("click", (event) => this.clicked(/** @type {Element} */ (event.target)));
    this.element.addEventListener("keydown", (event) => this.tabbed(event));
    this.outline();
    this.hideWhatDoesNotApply();
  }

  /** Fetch and decode the photo that is seen first, so that showing the product waits for nothing. */
  prepare() {
    const photo = /** @type {HTMLImageElement | null} */ (this.element.querySelector("figure.photo img"));
    this.ready = photo ? photo.decode().catch(() => undefined) : Promise.resolve(); // a broken one is shown as that
  }

  /** Show the product, and fetch the photos that are not seen at first. */
  show() {
    this.element.hidden = false;
    for (const one of this.element.querySelectorAll("img[data-src]")) {
      const image = /** @type {HTMLImageElement} */ (one);
      image.src = image.dataset.src ?? "";
      image.removeAttribute("data-src");
    }
    const first = this.lines().find((line) => line.classList.contains("asked") && !this.seen.has(line));
    if (first) this.ask(first);
    else /** @type {HTMLElement | null} */ (this.element.querySelector("[data-accept]"))?.focus({ preventScroll: true });
  }

  hide() {
    this.element.hidden = true;
  }

  /** The code of the garment whose values are shown. */
  get garment() {
    return /** @type {HTMLElement} */ (this.panel).dataset.panel ?? "";
  }

  get panel() {
    return this.element.querySelector("[data-panel]:not([hidden])");
  }

  /** @returns {HTMLElement[]} the garment's question, if there is one, and the attributes that the garment has */
  lines() {
    const garment = this.element.querySelector("[data-line=garment]");
    const own = [...(this.panel?.querySelectorAll("[data-line]:not([hidden])") ?? [])];
    return /** @type {HTMLElement[]} */ (garment ? [garment, ...own] : own);
  }

  get current() {
    return /** @type {HTMLElement | null} */ (this.element.querySelector(".review-line.current"));
  }

  /** Open a question. @param {HTMLElement} line */
  ask(line) {
    this.open(line);
    const choice = checked(line) ?? radios(line)[0] ?? line.querySelector("button");
    choice?.focus({ preventScroll: true });
    line.scrollIntoView({ block: "nearest" });
  }

  /** @param {Element} line */
  open(line) {
    for (const other of this.element.querySelectorAll(".review-line.current")) other.classList.toggle("current", other === line);
    line.classList.add("current");
  }

  /** @param {Element} target */
  focused(target) {
    const line = target.closest("[data-line]");
    if (line && line !== this.current) this.open(line);
  }

  /** @param {Element} target */
  clicked(target) {
    const photo = /** @type {HTMLElement | null} */ (target.closest("[data-photo]"));
    if (photo) this.photo(Number(photo.dataset.photo));
    const legend = target.closest("legend");
    if (legend?.parentElement) this.ask(legend.parentElement);
  }

  /** Tab goes from question to question; after the last one it goes on as everywhere. @param {KeyboardEvent} event */
  tabbed(event) {
    const target = /** @type {Element} */ (event.target);
    if (event.key !== "Tab" || event.shiftKey || !target.matches("input[type=radio]")) return;
    const lines = this.lines();
    const next = lines[lines.findIndex((line) => line.contains(target)) + 1];
    if (!next) return;
    event.preventDefault();
    this.ask(next);
  }

  /** Choose what has this key in the open question, and open the next one. @param {string} key @returns {boolean} */
  choose(key) {
    const line = this.current ?? this.lines().find((one) => one.dataset.line !== "garment");
    const choice = line && radios(line).find((one) => one.dataset.key === key);
    if (!line || !choice) return false;
    choice.checked = true;
    this.changed(choice);
    this.next(line);
    return true;
  }

  /** Open the next question that has no answer yet; without one the open one stays. @param {HTMLElement} line */
  next(line) {
    const lines = this.lines();
    const rest = lines.slice(lines.indexOf(line) + 1);
    const next = rest.find((one) => one.classList.contains("asked") && !this.seen.has(one));
    if (next) this.ask(next);
    else this.ask(line);
  }

  /** @param {HTMLInputElement} choice */
  changed(choice) {
    const line = choice.closest("[data-line]");
    if (!line || choice.type !== "radio") return;
    this.seen.add(line);
    if (choice.name === "top_category") {
      for (const panel of this.element.querySelectorAll("[data-panel]")) {
        /** @type {HTMLElement} */ (panel).hidden = /** @type {HTMLElement} */ (panel).dataset.panel !== choice.value;
      }
      this.outline();
    }
    const now = line.querySelector("[data-now]");
    if (now) now.textContent = choice.dataset.name ?? "";
    line.querySelector("[data-doubt]")?.remove(); // a person has looked
    this.hideWhatDoesNotApply();
  }

  /** Add a value that was found by typing, and choose it. @param {HTMLElement} line @param {{code: string, name: string, level: string}} value */
  add(line, value) {
    let choice = radios(line).find((one) => one.value === value.code);
    if (!choice) {
      const others = /** @type {HTMLElement} */ (line.querySelector("[data-others]"));
      const label = document.createElement("label");
      const name = document.createElement("span");
      choice = document.createElement("input");
      label.className = "review-choice";
      name.className = "review-choice-name";
      name.textContent = value.name;
      choice.type = "radio";
      choice.name = radios(line)[0]?.name ?? `${this.garment}/${line.dataset.line}`;
      choice.value = value.code;
      choice.dataset.name = value.name;
      if (value.level) choice.dataset.level = value.level;
      label.append(choice, name);
      others.append(label);
    }
    choice.checked = true;
    this.changed(choice);
    this.next(line);
  }

  /** Trousers have no sleeves: leave out what garments of the chosen category do not have. */
  hideWhatDoesNotApply() {
    const category = checked(this.panel?.querySelector("[data-line=category]") ?? null);
    const level = category ? category.dataset.level || category.value : this.garment;
    for (const one of this.panel?.querySelectorAll("[data-line][data-applies]") ?? []) {
      const line = /** @type {HTMLFieldSetElement} */ (one);
      const applies = line.dataset.applies ?? "";
      line.hidden = line.disabled = Boolean(level && applies && !applies.split(" ").includes(level));
    }
  }

  /** Outline the garment whose values are shown, in every photo; all of them where none is. */
  outline() {
    for (const one of this.element.querySelectorAll(".review-boxes [data-of]")) {
      one.classList.toggle("own", one.getAttribute("data-of") === this.garment);
    }
  }

  /** Show another photo. @param {number | null} index the next one without */
  photo(index = null) {
    const photos = [...this.element.querySelectorAll("figure.photo")].map((one) => /** @type {HTMLElement} */ (one));
    if (!photos.length) return;
    const wanted = index ?? (photos.findIndex((one) => !one.hidden) + 1) % photos.length;
    photos.forEach((one, number) => { one.hidden = number !== wanted; });
    for (const one of this.element.querySelectorAll("[data-photo]")) {
      one.setAttribute("aria-pressed", String(/** @type {HTMLElement} */ (one).dataset.photo === String(wanted)));
    }
  }

  /** The question that keeps the product from being accepted, if there is one. @returns {HTMLElement | undefined} */
  missing() {
    return this.lines().find((line) => line.dataset.needed !== undefined && !line.dataset.decided && !checked(line)?.value);
  }

  /** What accepting says: everything that is shown and not already decided just so. @returns {Record<string, string>} */
  said() {
    /** @type {Record<string, string>} */
    const values = {};
    for (const line of this.lines()) {
      const choice = checked(line);
      if (!choice) continue;
      if (line.dataset.line === "garment") {
        if (line.classList.contains("asked") || choice.value !== this.element.dataset.category) values.top_category = choice.value;
      } else if (choice.value !== line.dataset.decided) {
        values[`value-${line.dataset.line}`] = choice.value;
      }
    }
    return values;
  }

  /** @param {string} text '' takes it away */
  tell(text) {
    const place = /** @type {HTMLElement} */ (this.element.querySelector("[data-problem]"));
    place.textContent = text;
    place.hidden = !text;
  }
}
