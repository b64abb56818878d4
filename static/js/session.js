// @ts-check
// Who is logged in: the token of this session, and a dialog to log in again without leaving the page.

/** @typedef {{ok: true} | {ok: false, reason: "cancelled" | "other_person"}} LoggedIn */

const page = /** @type {HTMLElement | null} */ (document.getElementById("requests"));
/** @type {Promise<LoggedIn> | null} */
let asking = null;

/** What the server compares with who acts now: see accounts/page_of.py. */
export const pageOf = page?.dataset.pageOf ?? "";

/** The token that the server expects now: logging in again in another tab changes it. */
export function csrfToken() {
  const form = /** @type {HTMLInputElement | null} */ (document.querySelector("[name=csrfmiddlewaretoken]"));
  return document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ?? form?.value ?? "";
}

/** @returns {Promise<string>} the mark of who is logged in now, '' for nobody; the answer also brings a fresh token */
export async function askWho() {
  const response = await fetch(page?.dataset.logIn ?? "", { headers: { Accept: "application/json" }, cache: "no-store" });
  return (await response.json()).page_of;
}

/** @param {string} now @returns {LoggedIn} */
function judged(now) {
  const person = (/** @type {string} */ mark) => mark.split(".")[0];
  return person(now) === person(pageOf) ? { ok: true } : { ok: false, reason: "other_person" };
}

/**
 * Let the person log in, unless they did so in another tab already. However many requests ask at once, there is one
 * dialog. Rejects as `fetch` does if the site cannot be reached.
 * @returns {Promise<LoggedIn>}
 */
export function logIn() {
  asking ??= ask().finally(() => { asking = null; });
  return asking;
}

/** @returns {Promise<LoggedIn>} */
async function ask() {
  const now = await askWho();
  if (now) return judged(now);
  const template = /** @type {HTMLTemplateElement | null} */ (document.getElementById("log-in-dialog"));
  if (!template) return { ok: false, reason: "cancelled" };
  const dialog = /** @type {HTMLDialogElement} */ (document.importNode(template.content, true).querySelector("dialog"));
  document.body.append(dialog);
  return new Promise((resolve) => {
    /** @type {LoggedIn} */
    let outcome = { ok: false, reason: "cancelled" };
    dialog.addEventListener("close", () => {
      dialog.remove(); // the browser gives the focus back to where it was
      resolve(outcome);
    });
    dialog.querySelector("[data-cancel]")?.addEventListener("click", () => dialog.close());
    // People with a second step take it in another tab, and come back here.
    const cameBack = async () => {
      const now = document.hidden || !dialog.dataset.elsewhere ? "" : await askWho().catch(() => "");
      if (!now || !dialog.open) return;
      outcome = judged(now);
      dialog.close();
    };
    document.addEventListener("visibilitychange", cameBack);
    window.addEventListener("focus", cameBack);
    dialog.addEventListener("close", () => {
      document.removeEventListener("visibilitychange", cameBack);
      window.removeEventListener("focus", cameBack);
    });
    dialog.querySelector("form")?.addEventListener("submit", async (event) => {
      event.preventDefault();
      const now = await tryLogIn(dialog);
      if (!now) return;
      outcome = judged(now);
      dialog.close();
    });
    dialog.showModal();
  });
}

/**
 * Offer the page of the second step, in another tab: what was typed here stays.
 * @param {HTMLDialogElement} dialog
 * @param {string} address
 */
function leadToSecondStep(dialog, address) {
  const offer = /** @type {HTMLElement} */ (dialog.querySelector(".second-step"));
  /** @type {HTMLAnchorElement} */ (offer.querySelector("a")).href = address;
  offer.hidden = false;
  dialog.dataset.elsewhere = "true";
}

/**
 * Send what was typed into the dialog; a refusal is said in it.
 * @param {HTMLDialogElement} dialog
 * @returns {Promise<string>} the mark of who is logged in now, '' if that failed
 */
async function tryLogIn(dialog) {
  const form = /** @type {HTMLFormElement} */ (dialog.querySelector("form"));
  const refusal = /** @type {HTMLElement} */ (dialog.querySelector(".refusal"));
  const button = /** @type {HTMLButtonElement} */ (form.querySelector(".primary"));
  if (button.disabled) return "";
  const body = new URLSearchParams();
  for (const [name, value] of new FormData(form)) body.append(name, String(value));
  body.append("merchant", page?.dataset.merchant ?? "");
  button.disabled = true;
  try {
    const headers = { Accept: "application/json", "X-CSRFToken": csrfToken() };
    const response = await fetch(page?.dataset.logIn ?? "", { method: "POST", body, headers });
    const answer = await response.json();
    if (response.ok) return answer.page_of;
    if (answer.code === "second_step") leadToSecondStep(dialog, answer.location);
    refusal.textContent = answer.message;
  } catch {
    refusal.textContent = page?.dataset[navigator.onLine ? "server" : "offline"] ?? "";
  } finally {
    button.disabled = false;
  }
  refusal.hidden = false;
  const password = /** @type {HTMLInputElement} */ (form.elements.namedItem("password"));
  password.select();
  return "";
}
