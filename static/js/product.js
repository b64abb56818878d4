// The product's page: images without reloading, and news from the models that leave alone what a person is doing.

const htmx = window.htmx;
const review = () => document.getElementById("review");
const live = () => document.getElementById("live");

document.documentElement.classList.add("js");

// --- Images: the strip shows one large, with the arrow keys as well -------------------------------------------

function show(link) {
  for (const other of document.querySelectorAll(".strip a")) {
    const shown = other === link;
    other.toggleAttribute("aria-current", shown);
    if (shown) other.setAttribute("aria-current", "true");
    document.getElementById(other.dataset.photo).hidden = !shown;
  }
  link.scrollIntoView({ block: "nearest", inline: "nearest" });
}

document.addEventListener("click", (event) => {
  const link = event.target.closest(".strip a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  show(link);
});

document.addEventListener("keydown", (event) => {
  const item = event.target.closest?.(".strip li");
  if (!item || (event.key !== "ArrowLeft" && event.key !== "ArrowRight")) return;
  const next = event.key === "ArrowLeft" ? item.previousElementSibling : item.nextElementSibling;
  const link = next?.querySelector("a");
  if (!link) return;
  event.preventDefault();
  link.focus();
  show(link);
});

document.addEventListener("images-added", () => refresh());

// --- Values ---------------------------------------------------------------------------------------------------------

const changed = new Set(); // ids of the controls that the person touched since the page was made

/** Trousers have no sleeves: hide the attributes that the chosen category's top-level category does not have. */
function hideWhatDoesNotApply() {
  const category = document.querySelector("#value-category option:checked");
  const level = category?.dataset.level || category?.value; // a top-level category may itself be a category
  for (const field of document.querySelectorAll(".value-field")) {
    const levels = field.dataset.applies;
    const hidden = Boolean(level && levels && !levels.split(" ").includes(level));
    field.hidden = hidden;
    const select = field.querySelector("select");
    if (select) select.disabled = hidden;
  }
}

/** What is said of the model's own value is shown beside that one only, and what the model says beside all others. */
function showProposal(control) {
  for (const said of control.closest(".value-field")?.querySelectorAll("[data-of], [data-beside]") ?? []) {
    const { of, beside } = said.dataset;
    said.hidden = of ? of !== control.value : beside === control.value;
  }
}

// A refusal brings the page again with what was chosen: none of it is saved yet.
if (review().hasAttribute("data-changed")) {
  for (const control of review().querySelectorAll("select, [type=radio]")) changed.add(control.id);
}

function touched(control) {
  changed.add(control.id);
  review().dataset.changed = "";
  showProposal(control);
  if (control.id === "value-category") hideWhatDoesNotApply();
}

document.addEventListener("change", (event) => {
  if (event.target.form === review() && event.target.id) touched(event.target);
});

document.addEventListener("click", (event) => {
  const chip = event.target.closest("[data-choose]");
  if (!chip) return;
  const select = document.getElementById(chip.dataset.for);
  select.value = chip.dataset.choose;
  touched(select);
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  const publish = document.querySelector("[aria-keyshortcuts]");
  if (publish) publish.click();
});

// --- Leaving --------------------------------------------------------------------------------------------------------

let saving = false;

document.addEventListener("submit", (event) => { saving = event.target === review(); });

// Whatever else leads away, another form on this page included, would lose what was chosen and not saved.
window.addEventListener("beforeunload", (event) => {
  if (!saving && review().hasAttribute("data-changed")) event.preventDefault();
  saving = false;
});

// --- News from the models -------------------------------------------------------------------------------------------

let kept = new Map();
let held = false;

function refresh() {
  const url = live().getAttribute("hx-get").replace(/&seen=[^&]*/, "");
  htmx.ajax("GET", url, { source: "#live", target: "#live", swap: "outerHTML" });
}

// The answer comes for the garment and the image that the person looks at, not for the saved ones.
document.addEventListener("htmx:configRequest", (event) => {
  if (event.target !== live()) return;
  const garment = review().querySelector("[name=top_category]:checked");
  if (garment && review().hasAttribute("data-changed")) event.detail.parameters.top_category = garment.value;
  const photo = document.querySelector(".strip a[aria-current]");
  if (photo) event.detail.parameters.photo = photo.dataset.photo.replace("photo-", "");
});

document.addEventListener("htmx:oobBeforeSwap", (event) => {
  if (event.detail.target?.id !== "review") return;
  // Replacing an open list under somebody's finger would close it: wait until they leave it.
  if (review().contains(document.activeElement) && document.activeElement.tagName === "SELECT") {
    event.detail.shouldSwap = false;
    held = true;
    return;
  }
  kept = new Map([...changed].map((id) => [id, document.getElementById(id)]).filter(([, control]) => control));
});

document.addEventListener("htmx:oobAfterSwap", (event) => {
  if (event.detail.target?.id !== "review") return;
  for (const [id, old] of kept) {
    const control = document.getElementById(id);
    if (!control) continue;
    if (control.type === "radio") control.checked = old.checked;
    else if ([...control.options].some((option) => option.value === old.value)) control.value = old.value;
    showProposal(control);
  }
  if (kept.size) {
    review().dataset.changed = "";
    hideWhatDoesNotApply();
  }
});

document.addEventListener("focusout", (event) => {
  if (held && event.target.form === review()) {
    held = false;
    refresh();
  }
});

// Another garment brings its own values: what was touched before belonged to the old one.
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target?.id !== "values") return;
  for (const id of [...changed]) if (id.startsWith("value-")) changed.delete(id);
});
