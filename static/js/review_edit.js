// @ts-check
// Another value than those with a key, found by typing, in place of the choices of a question.

/** @typedef {import("./review_item.js").Item} Item */
/** @typedef {{code: string, name: string, group: string, level: string, aliases: string[]}} Value */

const MOST = 8;
const FIRST_SYLLABLE = 0xac00;
const LAST_SYLLABLE = 0xd7a3;
const SYLLABLES_OF_A_CONSONANT = 588;
const CONSONANTS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ";

/** @type {Record<string, Value[]>} */
const values = JSON.parse(document.getElementById("review-values")?.textContent ?? "{}");

/** @param {string} text */
const plain = (text) => text.normalize("NFC").toLowerCase().replace(/[\s_-]/g, "");

/** ㅈㅋ for 자켓. @param {string} text */
function initials(text) {
  return [...text].map((letter) => {
    const code = letter.charCodeAt(0);
    return code < FIRST_SYLLABLE || code > LAST_SYLLABLE ? letter : CONSONANTS[Math.floor((code - FIRST_SYLLABLE) / SYLLABLES_OF_A_CONSONANT)];
  }).join("");
}

/** How well a value fits what is typed: 0 best, -1 not at all. @param {string} typed @param {Value} value */
function fit(typed, value) {
  const names = [value.name, ...value.aliases].map(plain);
  if (names.some((name) => name.startsWith(typed))) return 0;
  if (names.some((name) => name.includes(typed))) return 1;
  return names.some((name) => initials(name).startsWith(typed)) ? 2 : -1;
}

/** @param {string} typed @param {Value[]} all @returns {Value[]} */
function found(typed, all) {
  const wanted = plain(typed);
  if (!wanted) return all;
  const fitting = all.map((value) => ({ value, rank: fit(wanted, value) })).filter(({ rank }) => rank >= 0);
  return fitting.sort((one, other) => one.rank - other.rank).slice(0, MOST).map(({ value }) => value);
}

/**
 * Let a person find a value of this question by typing.
 * @param {Item} item
 * @param {HTMLElement} line
 */
export function edit(item, line) {
  line.querySelector(".review-edit")?.remove();
  item.open(line);
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById("review-edit"));
  const editor = /** @type {HTMLElement} */ (document.importNode(template.content, true).firstElementChild);
  const input = /** @type {HTMLInputElement} */ (editor.querySelector("input"));
  const list = /** @type {HTMLElement} */ (editor.querySelector("ul"));
  const nothing = /** @type {HTMLElement} */ (editor.querySelector("[data-none]"));
  const all = values[line.dataset.line ?? ""] ?? [];
  /** @type {Value[]} */
  let shown = [];
  let at = 0;
  list.id = `values-${item.id}`;
  input.setAttribute("aria-controls", list.id);

  const mark = () => {
    [...list.children].forEach((option, index) => option.setAttribute("aria-selected", String(index === at)));
    if (shown.length) input.setAttribute("aria-activedescendant", list.children[at].id);
    else input.removeAttribute("aria-activedescendant");
    list.children[at]?.scrollIntoView({ block: "nearest" });
  };
  const fill = () => {
    shown = found(input.value, all);
    at = 0;
    list.replaceChildren(...shown.map((value, index) => {
      const option = document.createElement("li");
      option.id = `${list.id}-${index}`;
      option.setAttribute("role", "option");
      option.textContent = value.group ? `${value.name} · ${value.group}` : value.name;
      return option;
    }));
    nothing.hidden = shown.length > 0;
    mark();
  };
  let closing = false;
  const close = () => {
    if (closing) return; // removing the field takes its focus, which closes it
    closing = true;
    editor.remove();
  };
  /** @param {Value | undefined} value */
  const take = (value) => {
    if (!value) return;
    close();
    item.add(line, value);
  };

  input.addEventListener("input", fill);
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return; // Enter ends a Korean syllable
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      at = (at + (event.key === "ArrowDown" ? 1 : shown.length - 1)) % Math.max(1, shown.length);
      mark();
    } else if (event.key === "Enter") {
      take(shown[at]);
    } else if (event.key === "Escape") {
      close();
      item.ask(line);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  });
  list.addEventListener("pointerdown", (event) => {
    event.preventDefault(); // the field keeps the focus until a value is chosen
    take(shown[[...list.children].indexOf(/** @type {Element} */ (/** @type {Element} */ (event.target).closest("li")))]);
  });
  editor.addEventListener("focusout", (event) => {
    if (!editor.contains(/** @type {Node | null} */ (event.relatedTarget))) close();
  });
  line.append(editor);
  fill();
  input.focus();
}
