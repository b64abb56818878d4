// @ts-check
// The banner that says that the connection is away. It goes on its own: the browser says so, or the site answers again.

const ASK_AGAIN_MS = 5_000;

const banner = document.getElementById("connection");
const health = document.getElementById("requests")?.dataset.health;
let timer = 0;

/** Say that the site cannot be reached, and look every few seconds whether it can. */
export function lost() {
  if (!banner || timer) return;
  const text = document.createElement("p");
  text.textContent = banner.dataset.text ?? "";
  banner.replaceChildren(text);
  timer = window.setInterval(look, ASK_AGAIN_MS);
}

/** Take the banner away: the site answered. */
export function back() {
  if (!timer) return;
  window.clearInterval(timer);
  timer = 0;
  banner?.replaceChildren();
  document.dispatchEvent(new CustomEvent("connection-back"));
}

async function look() {
  if (!navigator.onLine || !health) return;
  try {
    await fetch(health, { cache: "no-store" });
    back();
  } catch { // still away
  }
}

window.addEventListener("offline", lost);
window.addEventListener("online", look);
if (!navigator.onLine) lost();
