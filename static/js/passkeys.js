// @ts-check
// Says beside the button what allauth's scripts would write into the console: no passkey was used.

document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  const note = document.getElementById("passkey-failed");
  if (!note) return;
  document.querySelector("main form:last-of-type")?.after(note);
  note.hidden = false;
});
