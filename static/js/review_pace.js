// @ts-check
// How far the review is, and how long the rest takes at the pace of the last products.

const LOOKED_AT = 10;
const PAUSE_MS = 60_000; // who takes longer was away

export class Pace {
  /** @param {HTMLElement} place with the texts as data attributes @param {number} total @param {boolean} more */
  constructor(place, total, more) {
    this.texts = place.dataset;
    this.count = /** @type {HTMLElement} */ (place.querySelector("[data-count]"));
    this.left = /** @type {HTMLElement} */ (place.querySelector("[data-pace]"));
    this.bar = /** @type {HTMLProgressElement} */ (place.querySelector("progress"));
    this.total = total;
    this.more = more;
    this.done = 0;
    /** @type {number[]} milliseconds from one answer to the next */
    this.steps = [];
    this.last = performance.now();
    this.show();
  }

  /** @param {number} products 1 for an answer, -1 for one taken back */
  move(products) {
    const now = performance.now();
    if (products > 0 && now - this.last < PAUSE_MS) this.steps = [...this.steps, now - this.last].slice(-LOOKED_AT);
    this.last = now;
    this.done = Math.max(0, this.done + products);
    this.total = Math.max(this.total, this.done);
    this.show();
  }

  /** @param {number} total what the queue turned out to hold */
  atLeast(total) {
    this.total = Math.max(this.total, total);
    this.show();
  }

  show() {
    const { progress, progressMore } = this.texts;
    const text = (this.more ? progressMore : progress) ?? "";
    this.count.textContent = text.replace("{done}", String(this.done)).replace("{total}", String(this.total));
    this.bar.value = this.total ? this.done / this.total : 0;
    this.left.textContent = this.more ? "" : this.estimate();
  }

  estimate() {
    const left = this.total - this.done;
    if (!left || this.steps.length < 2) return "";
    const seconds = (left * this.steps.reduce((sum, one) => sum + one, 0)) / this.steps.length / 1000;
    const { seconds: s, minutes: m, hours: h } = this.texts;
    const [text, unit] = seconds < 90 ? [s, 1] : seconds < 5400 ? [m, 60] : [h, 3600];
    return (text ?? "").replace("{n}", String(Math.max(1, Math.round(seconds / unit))));
  }
}
