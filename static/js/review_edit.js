// @ts-check
// Another value than those with a key, found by typing, below the choices of a question.

import { enhance } from "./combobox.js";

/** @typedef {import("./review_item.js").Item} Item */

/**
 * Let a person find a value of this question by typing.
 * @param {Item} item
 * @param {HTMLElement} line
 */
export function edit(item, line) {
  const before = line.querySelector(".review-edit input");
  if (before instanceof HTMLElement) {
    before.focus();
    return;
  }
  const template = document.querySelector(`template[data-values-of="${line.dataset.line}"]`);
  if (!(template instanceof HTMLTemplateElement)) return;
  const editor = document.createElement("div");
  editor.className = "review-edit";
  editor.append(document.importNode(template.content, true));
  const select = /** @type {HTMLSelectElement} */ (editor.querySelector("select"));
  let closing = false;
  const close = () => {
    if (closing) return; // removing the field takes its focus, which closes it
    closing = true;
    editor.remove();
  };
  item.open(line);
  line.append(editor);
  const input = enhance(select);
  select.addEventListener("change", () => {
    const chosen = select.selectedOptions[0];
    close();
    if (chosen?.value) item.add(line, { code: chosen.value, name: chosen.textContent?.trim() ?? "", level: chosen.dataset.level ?? "" });
  });
  // Before the list sees it, which would only close itself.
  editor.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.isComposing) return;
    event.stopPropagation();
    close();
    item.ask(line);
  }, true);
  editor.addEventListener("focusout", (event) => {
    if (!(event.relatedTarget instanceof Node && editor.contains(event.relatedTarget))) close();
  });
  input.focus();
  input.click(); // the list opens
  editor.scrollIntoView({ block: "nearest" });
}
