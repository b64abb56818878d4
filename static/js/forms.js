// @ts-check
// A plain form leaves the page, and with it what was typed. So it is sent only where somebody is there to take it: the
// site answers, the person is still logged in, for the merchant that the page is of. And it is sent once.

import { clearFailure, showFailure } from "./failures.js";
import { Failed, send } from "./requests.js";
import { csrfToken, logIn, pageOf } from "./session.js";

const texts = /** @type {HTMLElement | null} */ (document.getElementById("requests"))?.dataset ?? {};
/** @type {WeakSet<HTMLFormElement>} */
const cleared = new WeakSet();
/** @type {WeakSet<HTMLFormElement>} */
const underway = new WeakSet();

/** Whether the form may be sent; rejects with a `Failed` that says why not. */
async function check() {
  const { data } = await send(texts.logIn ?? "", { method: "GET" });
  if (data.page_of) return;
  const outcome = await logIn();
  if (!outcome.ok) throw outcome.reason === "other_person"
    ? new Failed("other_person", texts.otherPerson ?? "")
    : new Failed("log_in", texts.logInFirst ?? "");
  await send(texts.logIn ?? "", { method: "GET" }); // for the page's merchant?
}

document.addEventListener("submit", async (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (!pageOf || form.method !== "post" || form.hasAttribute("data-unguarded") || event.defaultPrevented) return;
  if (cleared.has(form)) {
    cleared.delete(form);
    return;
  }
  event.preventDefault();
  if (underway.has(form)) return;
  underway.add(form);
  const submitter = /** @type {HTMLElement | null} */ (event.submitter);
  const place = submitter?.parentElement ?? form;
  try {
    await check();
    clearFailure(place);
    const token = /** @type {HTMLInputElement | null} */ (form.elements.namedItem("csrfmiddlewaretoken"));
    if (token) token.value = csrfToken();
    cleared.add(form);
    form.requestSubmit(submitter);
  } catch (error) {
    underway.delete(form);
    if (error instanceof Failed) showFailure(place, error, () => form.requestSubmit(submitter));
    else throw error;
  }
});

// Back from the next page by the browser's memory: the form may be sent again.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) for (const form of document.forms) underway.delete(form);
});
