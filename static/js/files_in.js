// @ts-check
// Files on their way in: dropped, pasted or chosen; folders are walked. What cannot be sent says why before it is tried.

/** @typedef {{file: File, problem: "" | "folder" | "unreadable" | "too-large"}} Found */

const HIDDEN = /^(\..*|thumbs\.db|desktop\.ini)$/i; // what systems leave in folders and nobody means
const DEEPEST = 5;

/** @param {DataTransfer | null} transfer @returns {boolean} whether something is dragged that could be dropped here */
export function holdsFiles(transfer) {
  return Boolean(transfer?.types.includes("Files"));
}

/**
 * Take what is chosen in a field, also what somebody chose before this script had come.
 * @param {HTMLInputElement} input
 * @param {(files: File[]) => void} add
 */
export function watchField(input, add) {
  const take = () => {
    add([...input.files ?? []]);
    input.value = "";
  };
  input.addEventListener("change", take);
  if (input.files?.length) take();
}

/**
 * Everything that was dropped, with the files of folders in the order of their names.
 * @param {DataTransfer} transfer  it is empty as soon as the event is over, so entries are taken out at once
 * @returns {Promise<File[]>}
 */
export async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.() ?? null);
  if (!entries.some((entry) => entry?.isDirectory)) return [...transfer.files];
  const files = [];
  for (const entry of entries) if (entry) files.push(...await walked(entry, 0));
  return files;
}

/** @param {FileSystemEntry} entry @param {number} depth @returns {Promise<File[]>} */
async function walked(entry, depth) {
  if (HIDDEN.test(entry.name)) return [];
  if (entry.isFile) {
    return new Promise((resolve) => {
      const unreadable = () => resolve([new File([], entry.name)]);
      /** @type {FileSystemFileEntry} */ (entry).file((file) => resolve([file]), unreadable);
    });
  }
  if (depth >= DEEPEST) return [];
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  /** @type {FileSystemEntry[]} */
  const inside = [];
  for (;;) { // a reader gives a hundred at a time
    const some = await new Promise((resolve) => { reader.readEntries(resolve, () => resolve([])); });
    if (!some.length) break;
    inside.push(...some);
  }
  inside.sort((one, other) => one.name.localeCompare(other.name, undefined, { numeric: true }));
  const files = [];
  for (const one of inside) files.push(...await walked(one, depth + 1));
  return files;
}

/**
 * Look at a file as far as the browser can.
 * @param {File} file
 * @param {number} most bytes that the server takes
 * @returns {Promise<Found>}
 */
export async function looked(file, most) {
  if (file.size > most) return { file, problem: "too-large" };
  try {
    await file.slice(0, 1).arrayBuffer();
  } catch { // browsers that cannot walk folders hand one out as a file that cannot be read
    return { file, problem: file.type ? "unreadable" : "folder" };
  }
  return { file, problem: "" };
}

/**
 * Call `take` with whatever is dropped or pasted anywhere on the page; `over` says whether something hangs above it.
 * @param {(files: File[]) => void} take
 * @param {(over: boolean) => void} over
 */
export function watchPage(take, over) {
  document.addEventListener("dragover", (event) => {
    if (!holdsFiles(event.dataTransfer)) return;
    event.preventDefault();
    over(true);
  });
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) over(false); });
  document.addEventListener("drop", async (event) => {
    if (!event.dataTransfer || !holdsFiles(event.dataTransfer)) return;
    event.preventDefault();
    over(false);
    take(await dropped(event.dataTransfer));
  });
  document.addEventListener("paste", (event) => {
    if (event.clipboardData?.files.length) take([...event.clipboardData.files]);
  });
}
