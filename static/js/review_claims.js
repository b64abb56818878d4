// @ts-check
// The products in this page's hands: nobody else gets them as long as it says so every minute.

import { send } from "./requests.js";
import { csrfToken } from "./session.js";

/** @typedef {import("./review_item.js").Item} Item */

const RENEW_MS = 60_000;

export class Claims {
  /**
   * @param {string} url
   * @param {() => Item[]} held what the page holds now
   * @param {(item: Item) => void} lost somebody else has got it meanwhile
   */
  constructor(url, held, lost) {
    this.url = url;
    this.held = held;
    this.lost = lost;
    this.left = false;
    window.setInterval(() => this.renew(held()), RENEW_MS);
    // A hidden page's timers sleep, and its claims run out.
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.renew(held()); });
    window.addEventListener("pagehide", () => this.leave());
    window.addEventListener("pageshow", (event) => { if (event.persisted) window.location.reload(); });
  }

  /** @param {Item[]} items */
  async renew(items) {
    if (!items.length || this.left) return;
    try {
      const { kept } = (await send(this.url, { body: { id: items.map((item) => item.id) }, key: "" })).data;
      const mine = this.held();
      for (const item of items) if (!kept.includes(item.id) && mine.includes(item)) this.lost(item);
    } catch { /* the next time; an answer is checked by its version in any case */ }
  }

  /** @param {{id: string}[]} items */
  giveBack(items) {
    if (!items.length) return;
    const body = { id: items.map((item) => item.id), leave: "1" };
    send(this.url, { body, key: "" }).catch(() => undefined); // it runs out in any case
  }

  leave() {
    this.left = true;
    const body = new FormData();
    for (const item of this.held()) body.append("id", item.id);
    body.append("leave", "1");
    body.append("csrfmiddlewaretoken", csrfToken());
    navigator.sendBeacon(this.url, body);
  }
}
