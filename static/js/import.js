// @ts-check
// Sends the files of an import a few at a time, so that a folder of thousands fits, and says how far it is.

import { Failed, send } from "./requests.js";

const FILES_AT_ONCE = 20;
const BYTES_AT_ONCE = 32 * 2 ** 20; // unless a single file has more
const HIDDEN = /(^|\/)(\..*|thumbs\.db|desktop\.ini)$/i;

/** @param {File} file @returns {string} */
function pathOf(file) {
  return file.webkitRelativePath || file.name;
}

/** @param {File[]} files @returns {File[][]} */
function parts(files) {
  /** @type {File[][]} */
  const found = [];
  let bytes = Infinity;
  for (const file of files) {
    const last = found[found.length - 1];
    if (last && last.length < FILES_AT_ONCE && bytes + file.size <= BYTES_AT_ONCE) {
      last.push(file);
      bytes += file.size;
    } else {
      found.push([file]);
      bytes = file.size;
    }
  }
  return found;
}

/** @param {HTMLFormElement} form */
function watch(form) {
  const inputs = /** @type {HTMLInputElement[]} */ ([...form.querySelectorAll("input[type=file]")]);
  const bar = /** @type {HTMLProgressElement} */ (form.querySelector("progress"));
  const said = /** @type {HTMLElement} */ (form.querySelector("[data-progress]"));
  const problem = /** @type {HTMLElement} */ (form.querySelector("[data-problem]"));
  const button = /** @type {HTMLButtonElement} */ (form.querySelector("button"));

  const show = (/** @type {number} */ share) => {
    bar.value = share;
    said.textContent = (form.dataset.sending ?? "").replace("%s", String(Math.floor(share * 100)));
  };
  const refuse = (/** @type {string} */ text) => {
    problem.textContent = text;
    problem.hidden = !text;
  };

  form.addEventListener("submit", async (event) => {
    const files = inputs.flatMap((input) => [...(input.files ?? [])]).filter((file) => !HIDDEN.test(pathOf(file)));
    if (!files.length) return; // the server says what is missing
    event.preventDefault();
    const total = files.reduce((sum, file) => sum + file.size, 0);
    refuse("");
    if (total > Number(form.dataset.mostBytes)) {
      refuse(form.dataset.tooLarge ?? "");
      return;
    }
    button.disabled = true;
    bar.hidden = false;
    show(0);
    let addresses = /** @type {Record<string, string> | null} */ (null);
    try {
      ({ data: addresses } = await send(form.action, { body: { begin: "1" } }));
      let sent = 0;
      for (const part of parts(files)) {
        const body = new FormData();
        body.append("paths", JSON.stringify(part.map(pathOf)));
        for (const file of part) body.append("files", file);
        const bytes = part.reduce((sum, file) => sum + file.size, 0);
        const before = sent;
        await send(addresses?.files ?? "", {
          body, key: "", seconds: 120, progress: (share) => show((before + share * bytes) / Math.max(total, 1)),
        });
        sent += bytes;
      }
      await send(addresses?.check ?? "", { body: {} });
      location.assign(addresses?.page ?? "");
    } catch (error) {
      if (!(error instanceof Failed)) throw error;
      refuse(error.message);
      button.disabled = false;
      bar.hidden = true;
      said.textContent = "";
      if (addresses) send(addresses.drop, { body: {} }).catch(() => {}); // it is dropped anyway after two days
    }
  });
}

for (const form of /** @type {NodeListOf<HTMLFormElement>} */ (document.querySelectorAll(".import-send"))) watch(form);
