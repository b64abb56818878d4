// @ts-check
// Every request of a page's script: sent once, with the session's token, and with a readable text when it fails.

import * as connection from "./connection.js";
import { askWho, csrfToken, logIn, pageOf } from "./session.js";

/**
 * @typedef {"offline" | "timeout" | "server" | "unreadable" | "log_in" | "other_person" | "other_merchant" | "forbidden"
 *   | "gone" | "conflict" | "too_large" | "refused" | "cancelled"} Kind
 * @typedef {{status: number, data: any}} Answer  `data`: JSON, or text where that was asked for
 * @typedef {object} Options
 * @property {string} [method] POST if there is something to send, else GET
 * @property {FormData | URLSearchParams | Record<string, string | string[]> | null} [body] an object is sent as a form
 * @property {unknown} [json] in place of `body`
 * @property {string} [key] what is sent once at a time: `METHOD url` by default for what changes something, '' for no limit
 * @property {string} [accept] "text/html" for a part of a page
 * @property {Record<string, string>} [headers]
 * @property {AbortSignal} [signal]
 * @property {number} [seconds] to wait for the answer, or while uploading for the next progress
 * @property {(share: number) => void} [progress] is told which share of the body (0 to 1) has left
 */

const SECONDS = 30;
const ROUNDS = 3; // of logging in for one request: a browser that keeps no cookies would ask for ever
const AGAIN = new Set(["offline", "timeout", "server", "unreadable", "log_in"]);

const texts = /** @type {HTMLElement | null} */ (document.getElementById("requests"))?.dataset ?? {};
/** @type {Map<string, {same: string, promise: Promise<Answer>}>} */
const underway = new Map();

/** A request that failed. `message` is for the person; `retry()` sends it again as it was. */
export class Failed extends Error {
  /**
   * @param {Kind} kind
   * @param {string} text
   * @param {{status?: number, data?: any}} [answer] what the server said, if it did
   */
  constructor(kind, text, { status = 0, data = null } = {}) {
    super(text);
    this.kind = kind;
    this.status = status;
    this.data = data;
    this.code = /** @type {string} */ (data?.code ?? kind);
    this.retry = /** @type {() => Promise<Answer>} */ (() => Promise.reject(this));
  }

  /** Whether sending the same again may help. */
  get retriable() {
    return AGAIN.has(this.kind);
  }
}

/**
 * Send something. What has the same key and the same content as a request on its way is not sent a second time but gets
 * that one's answer; other content under that key waits for its turn, so that the last word arrives last.
 * @param {string} url
 * @param {Options} [options]
 * @returns {Promise<Answer>} rejects with a `Failed`
 */
export function send(url, options = {}) {
  const method = (options.method ?? (options.body || options.json !== undefined ? "POST" : "GET")).toUpperCase();
  const key = options.key ?? (method === "GET" ? "" : `${method} ${url}`);
  const go = () => deliver(url, method, options);
  if (!key) return go();
  const same = fingerprint(url, options);
  const before = underway.get(key);
  if (before?.same === same) return before.promise;
  const promise = (before ? before.promise.then(go, go) : go()).finally(() => {
    if (underway.get(key)?.promise === promise) underway.delete(key);
  });
  underway.set(key, { same, promise });
  return promise;
}

/** Whether a request under this key is on its way. @param {string} key */
export function isUnderway(key) {
  return underway.has(key);
}

/** @param {string} url @param {Options} options @returns {string} */
function fingerprint(url, options) {
  const body = formBody(options);
  if (!body || typeof body === "string") return `${url} ${body ?? ""}`;
  const said = [...body].map(([name, value]) =>
    typeof value === "string" ? [name, value] : [name, value.name, value.size, value.lastModified]);
  return `${url} ${JSON.stringify(said)}`;
}

/** @param {Options} options @returns {FormData | URLSearchParams | string | null} */
function formBody({ body, json }) {
  if (json !== undefined) return JSON.stringify(json);
  if (!body || body instanceof FormData || body instanceof URLSearchParams) return body ?? null;
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(body)) for (const one of [value].flat()) form.append(name, one);
  return form;
}

/** @param {string} url @param {string} method @param {Options} options @returns {Promise<Answer>} */
async function deliver(url, method, options) {
  try {
    return await delivered(url, method, options);
  } catch (error) {
    const failed = error instanceof Failed ? error : new Failed("unreadable", texts.unreadable ?? String(error));
    failed.retry = () => send(url, options);
    throw failed;
  }
}

/** @param {string} url @param {string} method @param {Options} options @returns {Promise<Answer>} */
async function delivered(url, method, options) {
  let renewed = false;
  for (let round = 0; round < ROUNDS; round += 1) {
    const answer = await exchange(url, method, options);
    connection.back();
    if (answer.status === 401 || answer.toLogIn) {
      await enter();
    } else if (answer.status === 403 && answer.data?.code === "form_too_old" && !renewed) {
      renewed = true;
      await askWho().catch(() => { throw offline(); });
    } else if (answer.status >= 200 && answer.status < 300) {
      if (answer.data === undefined) throw new Failed("unreadable", texts.unreadable ?? "", answer);
      return { status: answer.status, data: answer.data };
    } else {
      throw failure(answer);
    }
  }
  throw new Failed("log_in", texts.logInFirst ?? "");
}

/** Let the person log in; rejects if they did not, or are somebody else now. */
async function enter() {
  const outcome = await logIn().catch(() => { throw offline(); });
  if (outcome.ok) return;
  throw outcome.reason === "other_person"
    ? new Failed("other_person", texts.otherPerson ?? "")
    : new Failed("log_in", texts.logInFirst ?? "");
}

function offline() {
  connection.lost();
  return new Failed("offline", texts.offline ?? "");
}

/** @param {{status: number, data: any}} answer @returns {Failed} */
function failure(answer) {
  const { status, data } = answer;
  const said = typeof data?.message === "string" ? data.message : "";
  const fail = (/** @type {Kind} */ kind, /** @type {string | undefined} */ text) => new Failed(kind, said || text || "", answer);
  if (status >= 500) return fail("server", texts.server);
  if (status === 409 && data?.code === "other_person") return fail("other_person", texts.otherPerson);
  if (status === 409 && data?.code === "other_merchant") return fail("other_merchant", texts.conflict);
  if (status === 409) return fail("conflict", texts.conflict);
  if (status === 403) return fail("forbidden", texts.forbidden);
  if (status === 404 || status === 410) return fail("gone", texts.gone);
  if (status === 413) return fail("too_large", texts.tooLarge);
  return fail("refused", texts.refused);
}

/**
 * One request, over XMLHttpRequest: `fetch` cannot say how much of an upload has left.
 * @param {string} url
 * @param {string} method
 * @param {Options} options
 * @returns {Promise<{status: number, data: any, toLogIn: boolean}>} `data` is undefined where JSON was asked for and none came
 */
function exchange(url, method, options) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const accept = options.accept ?? "application/json";
    let patience = 0;
    const wait = () => {
      window.clearTimeout(patience);
      patience = window.setTimeout(() => {
        reject(new Failed("timeout", texts.timeout ?? ""));
        request.abort();
      }, (options.seconds ?? SECONDS) * 1000);
    };
    request.open(method, url);
    request.setRequestHeader("Accept", accept);
    if (method !== "GET" && method !== "HEAD") request.setRequestHeader("X-CSRFToken", csrfToken());
    if (pageOf) request.setRequestHeader("Page-Of", pageOf);
    if (options.json !== undefined) request.setRequestHeader("Content-Type", "application/json");
    for (const [name, value] of Object.entries(options.headers ?? {})) request.setRequestHeader(name, value);
    if (options.progress) {
      request.upload.addEventListener("progress", (event) => {
        wait();
        if (event.lengthComputable) options.progress?.(event.loaded / event.total);
      });
    }
    request.addEventListener("loadend", () => window.clearTimeout(patience));
    request.addEventListener("error", () => reject(offline()));
    request.addEventListener("abort", () => reject(new Failed("cancelled", "")));
    request.addEventListener("load", () => {
      const path = request.responseURL ? new URL(request.responseURL).pathname : "";
      const toLogIn = path === texts.logIn && new URL(url, window.location.href).pathname !== path;
      const asText = !accept.includes("json") && !request.getResponseHeader("Content-Type")?.includes("json");
      resolve({ status: request.status, data: asText ? request.responseText : parsed(request), toLogIn });
    });
    if (options.signal?.aborted) {
      reject(new Failed("cancelled", ""));
      return;
    }
    options.signal?.addEventListener("abort", () => request.abort());
    wait();
    request.send(formBody(options));
  });
}

/** @param {XMLHttpRequest} request @returns {any} undefined for what is not JSON; null for nothing */
function parsed(request) {
  if (!request.responseText) return null;
  try {
    return JSON.parse(request.responseText);
  } catch { // a proxy's own page
    return undefined;
  }
}
