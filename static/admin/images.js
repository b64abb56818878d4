// The theme writes what was chosen into a text field beside each file control. The browser's own control has no such
// field; where the theme believes to be listening already, it leaves it alone.
document.addEventListener("DOMContentLoaded", () => {
  for (const input of document.querySelectorAll("input[type=file][multiple]")) {
    input.hasChangeListener = true;
  }
});
