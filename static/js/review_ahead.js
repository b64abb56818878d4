// @ts-check
// The products that come next: fetched ahead, in passes through the queue, none of them twice.

import { send } from "./requests.js";

/** @typedef {import("./review_item.js").Item} Item */
/** @typedef {import("./review_item.js").Sent} Sent */

const MOST = 6; // products behind the one that is shown: each is a claim
const LEAST = 3; // from here on down more are fetched, several at once

export class Ahead {
  /**
   * @param {string} url
   * @param {object} events
   * @param {(sent: Sent) => Item} events.add put a product into the page, not shown yet
   * @param {(sent: Sent[]) => void} events.passed what came again though it was shown in this page already
   */
  constructor(url, events) {
    this.url = url;
    this.events = events;
    /** @type {Item[]} */
    this.items = [];
    /** @type {Set<string>} ids of all that came */
    this.known = new Set();
    this.after = "";
    this.ended = false;
    this.brought = false; // whether this pass has brought anything
    /** @type {Promise<void> | null} */
    this.fetching = null;
  }

  /** Fetch until there are enough. Rejects with a `Failed`. @returns {Promise<void>} */
  fetch() {
    if (!this.fetching && !this.ended && this.items.length <= LEAST) {
      this.fetching = this.fetchNext().finally(() => { this.fetching = null; });
    }
    return this.fetching ?? Promise.resolve();
  }

  async fetchNext() {
    const body = { after: this.after, want: String(MOST - this.items.length) };
    /** @type {{items: Sent[], after: string, ended: boolean}} */
    const answer = (await send(this.url, { body, key: "" })).data;
    this.after = answer.after;
    this.ended = answer.ended;
    const fresh = answer.items.filter((sent) => !this.known.has(sent.id));
    this.events.passed(answer.items.filter((sent) => this.known.has(sent.id)));
    for (const sent of fresh) {
      this.known.add(sent.id);
      this.items.push(this.events.add(sent));
    }
    this.brought ||= fresh.length > 0;
  }

  /** The next product; null at the end of the queue. Rejects with a `Failed`. @returns {Promise<Item | null>} */
  async next() {
    while (!this.items.length) {
      // What came in since the pass began may be more doubtful than where it ended.
      if (this.ended && !this.brought) return null;
      if (this.ended) this.startOver();
      await this.fetch();
    }
    return this.items.shift() ?? null;
  }

  startOver() {
    this.brought = this.ended = false;
    this.after = "";
  }

  /** @param {Item} item */
  remove(item) {
    this.items = this.items.filter((one) => one !== item);
  }
}
