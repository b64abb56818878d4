// @ts-check
// Answers on their way: sent one after another in the background, and kept until the server has taken them.

import { Failed, send } from "./requests.js";

/** @typedef {import("./review_item.js").Item} Item */
/**
 * @typedef {object} Letter
 * @property {Item} item
 * @property {"answer" | "undo"} kind
 * @property {Record<string, string>} said the answer's fields, without the version
 */

const AGAIN_MS = [1_000, 3_000, 10_000, 30_000];

export class Outbox {
  /**
   * @param {object} events
   * @param {(unsent: number, failed: Failed | null) => void} events.changed how many are left, and why they do not go
   * @param {(letter: Letter, failed: Failed) => void} events.refused the server will not take this one
   * @param {(letter: Letter, answer: any) => void} events.taken
   */
  constructor(events) {
    this.events = events;
    /** @type {Letter[]} */
    this.letters = [];
    this.sending = false;
    this.tries = 0;
    this.timer = 0;
    /** @type {Failed | null} why what is left does not go */
    this.why = null;
    document.addEventListener("connection-back", () => this.go());
    window.addEventListener("online", () => this.go());
  }

  get unsent() {
    return this.letters.length;
  }

  /** @param {Letter} letter */
  post(letter) {
    this.letters.push(letter);
    this.events.changed(this.unsent, this.why);
    this.go();
  }

  /** Take an answer out that has not left yet. @param {Item} item @returns {boolean} whether there was one */
  recall(item) {
    const at = this.letters.findLastIndex((letter) => letter.item === item);
    if (at < 0 || (at === 0 && this.sending)) return false;
    this.letters.splice(at, 1);
    this.events.changed(this.unsent, this.why);
    return true;
  }

  async go() {
    if (this.sending || !this.letters.length) return;
    window.clearTimeout(this.timer);
    this.sending = true;
    const letter = this.letters[0];
    try {
      const answer = await this.deliver(letter);
      this.letters.shift();
      this.tries = 0;
      this.why = null;
      this.events.taken(letter, answer);
      this.events.changed(this.unsent, null);
    } catch (error) {
      this.failed(letter, /** @type {Failed} */ (error));
    } finally {
      this.sending = false;
    }
    if (!this.tries) this.go();
  }

  /** @param {Letter} letter @returns {Promise<any>} the server's answer */
  async deliver({ item, kind, said }) {
    const url = /** @type {string} */ (kind === "undo" ? item.form.dataset.undo : item.form.getAttribute("action"));
    /** @type {Record<string, string>} */
    const body = kind === "undo" ? { undo: item.undo ?? "" } : { ...said, version: String(item.version) };
    return (await send(url, { body })).data;
  }

  /** @param {Letter} letter @param {Failed} failed */
  failed(letter, failed) {
    if (failed.retriable) {
      const pause = AGAIN_MS[Math.min(this.tries, AGAIN_MS.length - 1)];
      this.tries += 1;
      // Who would not log in is asked again only when they say so.
      if (failed.kind !== "log_in") this.timer = window.setTimeout(() => this.go(), pause);
      this.why = failed;
      this.events.changed(this.unsent, failed);
      return;
    }
    this.tries = 0;
    this.why = null;
    this.letters = this.letters.filter((other) => other.item !== letter.item); // they speak of what is not so any more
    this.events.refused(letter, failed);
    this.events.changed(this.unsent, null);
  }
}
