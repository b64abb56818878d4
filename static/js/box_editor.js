// @ts-check
// The boxes of one photo while somebody edits them: what was done goes to the server at once and can be taken back;
// what a worker makes of it appears beside the box.

import { inWords, isSame } from "./box_shapes.js";
import { BoxView, layerOf } from "./box_view.js";
import { Failed, send } from "./requests.js";

/** @typedef {import("./box_shapes.js").Box} Box */
/** @typedef {import("./box_view.js").Garment} Garment */
/** @typedef {{garments: Garment[], garment?: number | null, topCategories: {code: string, name: string}[]}} Shown */

const LOOKS = [200, 200, 200, 300, 300, 500, 500, 1000, 1000, 2000]; // milliseconds until the next look for a result

/** An open editor. */
export class BoxEditor {
  /** @param {HTMLElement} tools from templates/catalog/boxes_editor.html @param {HTMLElement} frame around the photo */
  constructor(tools, frame) {
    this.tools = tools;
    this.frame = frame;
    this.texts = tools.dataset;
    this.url = tools.dataset.boxes ?? "";
    /** @type {BoxView[]} */
    this.views = [];
    /** @type {BoxView | null} */
    this.selected = null;
    /** What the person is moving, or has moved and not kept. @type {BoxView | null} */
    this.held = null;
    /** @type {number[]} */
    this.done = [];
    this.level = "";
    this.closed = false;
    this.looks = this.timer = 0;
    /** @type {Promise<unknown>} */
    this.turn = Promise.resolve();
    this.layer = layerOf(this.texts.label ?? "");
    this.shade = /** @type {SVGPathElement} */ (this.layer.querySelector("path"));
    frame.append(this.layer);
    frame.classList.add("editing");
  }

  /** How large the photo is shown. */
  get size() {
    return { width: this.layer.clientWidth, height: this.layer.clientHeight };
  }

  /** Read what is there. @returns {Promise<void>} */
  load() {
    return this.ask(() => send(this.url), null);
  }

  /** End editing. */
  close() {
    this.keep();
    this.closed = true;
    clearTimeout(this.timer);
    this.layer.remove();
    this.frame.classList.remove("editing");
  }

  /** @param {BoxView | null} view */
  select(view) {
    if (this.held && this.held !== view) this.keep();
    this.selected = view;
    for (const other of this.views) {
      other.element.classList.toggle("selected", other === view);
      other.show();
    }
    this.light();
    this.tools.dispatchEvent(new Event("box-selected"));
  }

  /** Darken what is around the selected box; its own colours stay. */
  light() {
    const box = this.selected?.box.map((edge) => (100 * edge).toFixed(2));
    this.shade.setAttribute("d", box ? `M0 0H100V100H0ZM${box[0]} ${box[1]}H${box[2]}V${box[3]}H${box[0]}Z` : "");
  }

  /** Show a box elsewhere; nothing is sent before `keep`. @param {BoxView} view @param {Box} box */
  hold(view, box) {
    this.held = view;
    view.box = box;
    view.show();
    this.light();
  }

  /** Put back what was moved and not kept; says whether there was anything. */
  drop() {
    const view = this.held;
    if (!view) return false;
    this.held = null;
    view.box = view.garment.box;
    view.show();
    this.light();
    return true;
  }

  /** Send where the box is that was moved. */
  keep() {
    const view = this.held;
    this.held = null;
    if (!view || isSame(view.box, view.garment.box)) return;
    const { box } = view;
    this.wait(view, box);
    void this.ask(() => send(`${this.url}/${view.garment.id}`, { json: { box } }), view);
  }

  /** Say what the selected garment is, or the next one that is drawn. @param {string} level */
  name(level) {
    const view = this.selected;
    if (!view) this.level = level;
    if (!view) return;
    this.keep();
    this.wait(view, view.box);
    void this.ask(() => send(`${this.url}/${view.garment.id}`, { json: { top_category: level } }), view);
  }

  /** @param {Box} box */
  draw(box) {
    const garment = { id: 0, box, byPerson: true, state: /** @type {const} */ ("waiting"), problem: "", topCategory: this.level, text: "" };
    const view = this.add(garment);
    this.select(view);
    view.element.focus({ preventScroll: true });
    void this.ask(() => send(this.url, { json: { box, top_category: garment.topCategory }, key: "" }), view);
  }

  /** Remove the selected box. */
  remove() {
    const view = this.selected;
    if (!view) return;
    this.drop();
    const next = this.views[this.views.indexOf(view) + 1] ?? this.views[this.views.indexOf(view) - 1] ?? null;
    this.forget(view);
    this.select(next);
    (next?.element ?? this.layer.querySelector(".box-edit") ?? this.tools.querySelector("[data-do=draw]"))?.focus();
    this.say(this.texts.removed ?? "");
    void this.ask(() => send(`${this.url}/${view.garment.id}/remove`, { method: "POST" }), null);
  }

  /** Take back what was done last, also if it was to move a box and not to keep that. */
  undo() {
    if (this.drop()) return;
    void this.turn.then(() => {
      const last = this.done.pop();
      if (last !== undefined) void this.ask(() => send(`${this.url}/${last}/take-back`, { method: "POST" }), null, true);
    });
  }

  /** Ask for another description of what failed. */
  retry() {
    void this.ask(() => send(`${this.url}/describe`, { method: "POST" }), null);
  }

  /**
   * Send something when everything before it has been answered, as each answer gives boxes new numbers.
   * @param {() => Promise<{data: Shown}>} request
   * @param {BoxView | null} view what it is about
   * @param {boolean} [back] it takes something back
   * @returns {Promise<void>}
   */
  ask(request, view, back = false) {
    if (view) view.underway += 1;
    const go = async () => {
      try {
        const answer = await request().finally(() => { if (view) view.underway -= 1; });
        const { data } = answer;
        if ("garment" in data && data.garment !== null) {
          if (!back) this.done.push(Number(data.garment));
          if (view) view.garment = { ...view.garment, id: Number(data.garment) };
        }
        this.show(data);
        this.trouble(null);
        if (back) this.restored(data.garment ?? null);
        if ("garment" in data) this.changed();
      } catch (error) {
        if (!(error instanceof Failed)) throw error;
        this.trouble(error);
        if (view && view.garment.id === 0) this.forget(view); // it was drawn in vain
        const now = await send(this.url).catch(() => null);
        if (now) this.show(now.data);
      }
    };
    const asked = this.turn.then(go);
    this.turn = asked.catch(() => undefined);
    return asked;
  }

  /** What is there again has the focus, as the person did something to it. @param {number | null} id */
  restored(id) {
    const view = this.views.find((one) => one.garment.id === id) ?? null;
    this.select(view);
    view?.element.focus({ preventScroll: true });
    this.say(this.texts.undone ?? "");
  }

  /** Let the page bring itself up to date, and look for what the worker says. */
  changed() {
    const asks = document.getElementById("live")?.getAttribute("hx-trigger")?.startsWith("every");
    if (!asks) document.dispatchEvent(new Event("images-added"));
    this.looks = 0;
    this.look();
  }

  /** Ask again as long as something waits. */
  look() {
    clearTimeout(this.timer);
    if (this.closed || !this.views.some((view) => view.garment.state === "waiting")) return;
    const pause = LOOKS[Math.min(this.looks, LOOKS.length - 1)];
    this.looks += 1;
    this.timer = window.setTimeout(async () => {
      await this.ask(() => send(this.url), null);
      this.look();
    }, pause);
  }

  /** Take over what the server shows. @param {Shown} shown */
  show({ garments, topCategories }) {
    if (this.closed) return;
    const known = new Map(garments.map((garment) => [garment.id, garment]));
    for (const view of [...this.views]) {
      const now = known.get(view.garment.id);
      if (!now && view.garment.id !== 0) this.forget(view); // else it is on its way there
      if (!now) continue;
      known.delete(now.id);
      if (view.underway) continue; // its own answer comes yet
      const waited = view.garment.state === "waiting" && now.state !== "waiting";
      view.update(now, this.held === view);
      if (waited) this.say(`${view.name} ${view.text}`);
    }
    for (const garment of known.values()) this.add(garment);
    this.views.sort((one, other) => one.box[1] - other.box[1] || one.box[0] - other.box[0]);
    this.number();
    this.tools.dispatchEvent(new CustomEvent("boxes-shown", { detail: topCategories }));
    this.light();
  }

  /** Give the boxes their names, and the order in which Tab goes through them. */
  number() {
    this.views.forEach((view, index) => {
      view.name = (this.texts.name ?? "").replace("{number}", String(index + 1)).replace("{total}", String(this.views.length));
      view.show();
    });
    const order = this.views.map((view) => view.element);
    const shown = [...this.layer.querySelectorAll(".box-edit")];
    const focused = document.activeElement;
    if (order.every((element, index) => element === shown[index])) return;
    this.layer.append(...order);
    if (focused instanceof HTMLElement && this.layer.contains(focused)) focused.focus({ preventScroll: true });
  }

  /** @param {Garment} garment */
  add(garment) {
    const view = new BoxView(garment, this.texts);
    this.views.push(view);
    this.layer.append(view.element);
    this.number();
    return view;
  }

  /** @param {BoxView} view */
  forget(view) {
    const had = view.element.contains(document.activeElement);
    this.views = this.views.filter((other) => other !== view);
    view.element.remove();
    if (this.held === view) this.held = null;
    if (this.selected === view) this.select(null);
    if (had) /** @type {HTMLElement | null} */ (this.tools.querySelector("[data-do=draw]"))?.focus();
  }

  /** @param {BoxView} view @param {Box} box */
  wait(view, box) {
    view.garment = { ...view.garment, box, state: "waiting", problem: "" };
    view.show();
  }

  /** Where a box is, for those who do not see it. @param {BoxView} view */
  sayPlace(view) {
    this.say(inWords(this.texts.place ?? "", view.box));
  }

  /** The view of an element of the layer. @param {EventTarget | null} target */
  viewOf(target) {
    const element = target instanceof Element ? target.closest(".box-edit") : null;
    return this.views.find((view) => view.element === element) ?? null;
  }

  /** @param {string} sentence */
  say(sentence) {
    const line = this.tools.querySelector("[data-said]");
    if (line) line.textContent = sentence;
  }

  /** @param {Failed | null} failed */
  trouble(failed) {
    const line = /** @type {HTMLElement | null} */ (this.tools.querySelector("[data-trouble]"));
    if (!line) return;
    line.hidden = !failed;
    line.textContent = failed ? failed.message : "";
  }
}
