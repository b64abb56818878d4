// @ts-check
// Boxes as numbers: left, top, right and bottom in fractions of an image. Nothing here knows the page.

/** @typedef {[number, number, number, number]} Box */
/** @typedef {{width: number, height: number}} Size of the image as it is shown, in CSS pixels */

const LEAST = 8; // CSS pixels: what is smaller was a click

/** @param {number} value @param {number} low @param {number} high */
const between = (value, low, high) => Math.min(Math.max(value, low), high);

/** Two corners in any order, within the image. @param {number[]} from @param {number[]} to @returns {Box} */
export function spanned(from, to) {
  const [x1, y1, x2, y2] = [...from, ...to].map((edge) => between(edge, 0, 1));
  return [Math.min(x1, x2), Math.min(y1, y2), Math.max(x1, x2), Math.max(y1, y2)];
}

/** Whether somebody can mean it. @param {Box} box @param {Size} size */
export function isLargeEnough([x1, y1, x2, y2], size) {
  return (x2 - x1) * size.width >= LEAST && (y2 - y1) * size.height >= LEAST;
}

/** The same box elsewhere, as far as the image goes. @param {Box} box @param {number} dx @param {number} dy @returns {Box} */
export function moved([x1, y1, x2, y2], dx, dy) {
  const x = between(dx, -x1, 1 - x2);
  const y = between(dy, -y1, 1 - y2);
  return [x1 + x, y1 + y, x2 + x, y2 + y];
}

/**
 * The box with some of its edges elsewhere; an edge stops at the image's, and before the opposite one.
 * @param {Box} box
 * @param {string} handle which edges: n, e, s, w, or two of them
 * @param {number} dx
 * @param {number} dy
 * @param {Size} size
 * @returns {Box}
 */
export function resized([x1, y1, x2, y2], handle, dx, dy, size) {
  const wide = Math.min(LEAST / size.width, 1);
  const high = Math.min(LEAST / size.height, 1);
  if (handle.includes("w")) x1 = between(x1 + dx, 0, Math.max(x2 - wide, 0));
  if (handle.includes("e")) x2 = between(x2 + dx, Math.min(x1 + wide, 1), 1);
  if (handle.includes("n")) y1 = between(y1 + dy, 0, Math.max(y2 - high, 0));
  if (handle.includes("s")) y2 = between(y2 + dy, Math.min(y1 + high, 1), 1);
  return [x1, y1, x2, y2];
}

/** How far one key goes: a hundredth of the shorter side, or a pixel. @param {Size} size @param {boolean} fine @returns {[number, number]} */
export function step(size, fine) {
  const pixels = fine ? 1 : Math.max(1, Math.min(size.width, size.height) / 100);
  return [pixels / size.width, pixels / size.height];
}

/**
 * A box in the middle of what can be seen of an image.
 * @param {Box} seen the part that can be seen
 * @returns {Box}
 */
export function middle([x1, y1, x2, y2]) {
  const [width, height] = [x2 - x1, y2 - y1];
  return [x1 + width / 4, y1 + height / 4, x2 - width / 4, y2 - height / 4];
}

/** @param {Box} one @param {Box} other */
export const isSame = (one, other) => one.every((edge, index) => Math.abs(edge - other[index]) < 1e-4);

/** @param {Box} box */
export const area = ([x1, y1, x2, y2]) => (x2 - x1) * (y2 - y1);

/** Fill the gaps {x} {y} {width} {height} of a sentence with whole per cents. @param {string} sentence @param {Box} box */
export function inWords(sentence, [x1, y1, x2, y2]) {
  const said = { x: x1, y: y1, width: x2 - x1, height: y2 - y1 };
  return sentence.replace(/\{(\w+)\}/g, (gap, name) => (name in said ? String(Math.round(100 * said[/** @type {"x"} */ (name)])) : gap));
}
