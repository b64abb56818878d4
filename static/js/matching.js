// @ts-check
// How a few typed letters find a name: Korean or English, any of its words, aliases, initial consonants (ㅈㅋ for 자켓),
// and a syllable that is still being composed ("재ㅋ" on the way to 재킷).

/**
 * @typedef {object} Entry
 * @property {string} code
 * @property {string} name as the page shows it
 * @property {string} [group]
 * @property {string[]} [aliases] other names, whatever their language
 * @property {string} [initials] the initial consonants, where they are known already
 */

const FIRST = 0xac00;
const LAST = 0xd7a3;
const INITIALS = [..."ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"];
const VOWELS = ["ㅏ", "ㅐ", "ㅑ", "ㅒ", "ㅓ", "ㅔ", "ㅕ", "ㅖ", "ㅗ", "ㅗㅏ", "ㅗㅐ", "ㅗㅣ", "ㅛ", "ㅜ", "ㅜㅓ", "ㅜㅔ", "ㅜㅣ", "ㅠ", "ㅡ", "ㅡㅣ", "ㅣ"];
const FINALS = ["", "ㄱ", "ㄲ", "ㄱㅅ", "ㄴ", "ㄴㅈ", "ㄴㅎ", "ㄷ", "ㄹ", "ㄹㄱ", "ㄹㅁ", "ㄹㅂ", "ㄹㅅ", "ㄹㅌ", "ㄹㅍ", "ㄹㅎ", "ㅁ", "ㅂ", "ㅂㅅ", "ㅅ", "ㅆ", "ㅇ", "ㅈ", "ㅊ", "ㅋ", "ㅌ", "ㅍ", "ㅎ"];
/** What a keyboard makes of two consonants that are typed one after the other. @type {Record<string, string>} */
const JOINED = { "ㄳ": "ㄱㅅ", "ㄵ": "ㄴㅈ", "ㄶ": "ㄴㅎ", "ㄺ": "ㄹㄱ", "ㄻ": "ㄹㅁ", "ㄼ": "ㄹㅂ", "ㄽ": "ㄹㅅ", "ㄾ": "ㄹㅌ", "ㄿ": "ㄹㅍ", "ㅀ": "ㄹㅎ", "ㅄ": "ㅂㅅ" };
const SEPARATORS = /[\s\-/·.,()]+/u;

/** One spelling for what reads the same; not NFKC, which takes single consonants for parts of syllables. @param {string} text */
function folded(text) {
  return text.normalize("NFC").toLowerCase();
}

/** @param {string} text */
function joined(text) {
  return folded(text).split(SEPARATORS).join("");
}

/** The letters as they are typed one by one. @param {string} text @returns {string} */
export function letters(text) {
  return [...text].map((character) => {
    const code = character.charCodeAt(0);
    if (code < FIRST || code > LAST) return JOINED[character] ?? character;
    const place = code - FIRST;
    return INITIALS[Math.floor(place / 588)] + VOWELS[Math.floor((place % 588) / 28)] + FINALS[place % 28];
  }).join("");
}

/** The initial consonant of each syllable; what is not Korean stays. @param {string} text @returns {string} */
export function initials(text) {
  return [...text].map((character) => {
    const code = character.charCodeAt(0);
    return code < FIRST || code > LAST ? character : INITIALS[Math.floor((code - FIRST) / 588)];
  }).join("");
}

/** @param {string} query @param {string} name @param {string} [known] @returns {number} */
function score(query, name, known) {
  const asked = joined(query);
  const whole = joined(name);
  if (!asked || !whole) return 0;
  if (whole === asked) return 100;
  if (whole.startsWith(asked)) return 90;
  const typed = letters(asked);
  const spelled = letters(whole);
  if (spelled.startsWith(typed)) return 80;
  if (/^[ㄱ-ㅎ]+$/u.test(typed)) {
    const heads = known ?? initials(whole);
    return heads.startsWith(typed) ? 70 : heads.includes(typed) ? 40 : 0;
  }
  const words = folded(name).split(SEPARATORS);
  if (words.some((word) => letters(word).startsWith(typed))) return 60;
  return spelled.includes(typed) ? 30 : 0;
}

/**
 * How well an entry answers to what was typed: 0 for not at all, above 100 only for its whole name.
 * @param {string} query
 * @param {Entry} entry
 * @returns {number}
 */
export function match(query, entry) {
  const own = score(query, entry.name, entry.initials);
  const other = Math.max(0, ...(entry.aliases ?? []).map((alias) => score(query, alias)));
  const best = Math.max(own && own + 5, other);
  const words = query.split(SEPARATORS).filter(Boolean);
  if (best || words.length < 2) return best;
  return Math.min(20, ...words.map((word) => match(word, entry))); // "jacket padded"
}
