// @ts-check
// One box on a photo: where it is, what it is taken for, and the handles by which it is resized.

import { area } from "./box_shapes.js";

/** @typedef {import("./box_shapes.js").Box} Box */
/**
 * @typedef {{id: number, box: Box, byPerson: boolean, state: "done" | "waiting" | "failed", problem: string,
 *   topCategory: string, text: string}} Garment as the server describes it
 */

const HANDLES = ["nw", "n", "ne", "e", "se", "s", "sw", "w"];
const EDGE = 0.03; // so near to the photo's edge handles would lie outside of it
const SVG = "http://www.w3.org/2000/svg";
const SMALL = 64; // CSS pixels: a shorter side has no room for a handle in its middle

/**
 * The layer over a photo in which the boxes lie, and the shade around the one that is selected.
 * @param {string} label
 */
export function layerOf(label) {
  const layer = document.createElement("div");
  layer.className = "box-layer";
  layer.setAttribute("role", "application");
  layer.setAttribute("aria-label", label);
  const shade = document.createElementNS(SVG, "svg");
  shade.classList.add("box-shade");
  shade.setAttribute("viewBox", "0 0 100 100");
  shade.setAttribute("preserveAspectRatio", "none");
  shade.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("fill-rule", "evenodd");
  shade.append(path);
  layer.append(shade);
  return layer;
}

/** What people see of a garment, and its box while it is on its way. */
export class BoxView {
  /** @param {Garment} garment @param {DOMStringMap} texts */
  constructor(garment, texts) {
    this.texts = texts;
    this.garment = garment;
    this.box = garment.box;
    this.name = "";
    this.underway = 0; // what was done to it and not answered yet
    this.element = document.createElement("div");
    this.element.className = "box-edit";
    this.element.tabIndex = 0;
    this.element.setAttribute("role", "group");
    this.element.setAttribute("aria-roledescription", texts.kind ?? "");
    for (const handle of HANDLES) {
      const knob = document.createElement("span");
      knob.className = `box-handle ${handle}`;
      knob.dataset.handle = handle;
      this.element.append(knob);
    }
    this.label = document.createElement("span");
    this.label.className = "box-said";
    this.element.append(this.label);
    this.show();
  }

  /** What the models take it for, or why nobody knows yet. */
  get text() {
    const { state, text, problem } = this.garment;
    if (state === "waiting") return problem || this.texts.waiting || "";
    if (state === "failed") return problem || this.texts.failed || "";
    return text || this.texts.unknown || "";
  }

  /** Take over what the server says; the box stays where the person holds it. @param {Garment} garment @param {boolean} held */
  update(garment, held) {
    this.garment = garment;
    if (!held) this.box = garment.box;
    this.show();
  }

  /** Draw it. */
  show() {
    const [x1, y1, x2, y2] = this.box;
    const { style } = this.element;
    style.left = `${100 * x1}%`;
    style.top = `${100 * y1}%`;
    style.width = `${100 * (x2 - x1)}%`;
    style.height = `${100 * (y2 - y1)}%`;
    // The smaller one can be reached, and the handles of the selected one.
    const selected = this.element.classList.contains("selected");
    style.zIndex = selected ? "2000" : String(2 + Math.round(1000 * (1 - area(this.box))));
    const frame = this.element.parentElement;
    const shorter = frame ? Math.min((x2 - x1) * frame.clientWidth, (y2 - y1) * frame.clientHeight) : SMALL;
    this.element.classList.toggle("small", shorter < SMALL);
    const near = { n: y1 < EDGE, w: x1 < EDGE, s: y2 > 1 - EDGE, e: x2 > 1 - EDGE };
    for (const [side, is] of Object.entries(near)) this.element.classList.toggle(`at-${side}`, is);
    this.element.classList.toggle("low", y1 * (frame?.clientHeight ?? 0) < 26); // no room for the label above it
    this.element.dataset.state = this.garment.state;
    this.label.textContent = this.text;
    this.element.setAttribute("aria-label", `${this.name} ${this.text}`.trim());
  }
}
