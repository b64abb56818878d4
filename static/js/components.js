// @ts-check
// What can be tried on the page of components: toasts and dialogs.

import { toast } from "./toast.js";

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("button") : null;
  const { toast: text, undone, kind, dialog } = button?.dataset ?? {};
  if (text) {
    toast(text, { kind: kind === "error" ? "error" : "ok", undo: undone ? async () => void toast(undone) : undefined });
  }
  const opened = dialog ? document.getElementById(dialog) : null;
  if (opened instanceof HTMLDialogElement) opened.showModal();
});
