// Uploads images one by one with their progress. The same form works without this script as a plain one.

const PARALLEL = 3;

const texts = document.querySelector(".texts").dataset;
const fileRow = document.querySelector("template.file-row");

/** The token that the server expects now: logging in again in another tab changes it. */
function csrfToken(form) {
  return document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ?? form.elements.csrfmiddlewaretoken.value;
}

/** One image on its way: its line in the list, and what became of it. */
class Item {
  constructor(file, place, list) {
    this.file = file;
    this.place = place; // among the product's images: a small file may arrive before a large one
    this.state = "waiting"; // waiting, sending, kept, refused, broken
    this.told = false; // whether the person was told on leaving that it is not stored
    this.row = fileRow.content.firstElementChild.cloneNode(true);
    this.row.querySelector(".file-name").textContent = file.name;
    this.bar = this.row.querySelector("progress");
    const preview = this.row.querySelector("img");
    preview.addEventListener("load", () => { preview.hidden = false; });
    preview.src = URL.createObjectURL(file);
    list.append(this.row);
    this.show("waiting", texts.waiting);
  }

  /** Whether it was turned away or broke off. */
  get lost() {
    return this.state === "refused" || this.state === "broken";
  }

  show(state, text) {
    this.state = state;
    this.told &&= this.lost;
    this.row.dataset.state = state;
    this.row.querySelector(".file-state").textContent = text;
    this.row.querySelector(".retry").hidden = state !== "broken";
    this.row.querySelector(".dismiss").hidden = !this.lost;
    this.bar.hidden = state !== "sending";
  }

  /** Say which products have the same photo; a link each, because it may have been meant for one of them. */
  tellSame(products) {
    if (!products.length) return;
    const links = products.map((product) => {
      const link = document.createElement("a");
      link.href = product.page;
      link.textContent = product.name;
      return link;
    });
    const state = this.row.querySelector(".file-state");
    state.append(`. ${texts.same} `, ...links.flatMap((link, index) => (index ? [", ", link] : [link])));
  }

  dispose() {
    URL.revokeObjectURL(this.row.querySelector("img").src);
    this.row.remove();
  }
}

/** The images of one product; the first one that is kept creates the product where there is none yet. */
class Upload {
  constructor(form) {
    this.form = form;
    this.pristine = form.cloneNode(true);
    this.items = [];
    this.places = Number(form.dataset.places); // how many are taken
    this.product = form.dataset.images ? { images: form.dataset.images } : null;
    this.list = form.querySelector(".files");
    this.problem = form.querySelector("[data-problem]");
    this.opening = false;
    this.saving = Promise.resolve();
    const input = form.querySelector("input[type=file]");
    input.addEventListener("change", () => { this.add(input.files); input.value = ""; });
    form.addEventListener("submit", (event) => { event.preventDefault(); this.open(); });
    for (const field of form.querySelectorAll("[name=name], [name=sku]")) {
      field.addEventListener("change", () => this.saveDetails());
    }
  }

  get busy() {
    return this.items.some((item) => item.state === "waiting" || item.state === "sending");
  }

  add(files) {
    this.complain("");
    for (const file of files) {
      const item = new Item(file, this.places++, this.list);
      item.row.querySelector(".dismiss").addEventListener("click", () => {
        this.items.splice(this.items.indexOf(item), 1);
        item.dispose();
        this.changed();
      });
      item.row.querySelector(".retry").addEventListener("click", () => {
        item.show("waiting", texts.waiting);
        this.pump();
      });
      this.items.push(item);
    }
    this.pump();
  }

  pump() {
    // Until the product exists, one at a time: two first images would make two products.
    const limit = this.product ? PARALLEL : 1;
    let sending = this.items.filter((item) => item.state === "sending").length;
    for (const item of this.items) {
      if (sending >= limit) break;
      if (item.state === "waiting") {
        this.send(item);
        sending += 1;
      }
    }
    this.changed();
  }

  send(item) {
    const body = new FormData();
    body.append("csrfmiddlewaretoken", csrfToken(this.form));
    body.append("place", item.place);
    body.append("images", item.file, item.file.name);
    const request = new XMLHttpRequest();
    request.open("POST", this.product ? this.product.images : this.form.dataset.create);
    request.setRequestHeader("Accept", "application/json");
    request.upload.addEventListener("progress", (event) => {
      if (!event.lengthComputable) return;
      item.bar.value = event.loaded / event.total;
      item.show("sending", event.loaded < event.total ? `${Math.floor(100 * item.bar.value)}%` : texts.checking);
    });
    request.addEventListener("load", () => this.answered(item, request));
    request.addEventListener("error", () => { item.show("broken", texts.offline); this.pump(); });
    item.show("sending", "0%");
    request.send(body);
  }

  answered(item, request) {
    let answer = null;
    try {
      answer = JSON.parse(request.responseText);
    } catch { // a proxy's own page
      item.show("broken", request.status === 413 ? texts.tooLarge : texts.failed);
      this.pump();
      return;
    }
    const [entry] = answer.received?.length ? answer.received : [answer];
    if (entry.message) {
      item.show(request.status === 401 ? "broken" : "refused", entry.message); // after logging in it can be tried again
    } else {
      item.show("kept", texts.kept);
      item.tellSame(entry.same ?? []);
    }
    if (answer.product && !this.product) {
      this.product = answer.product;
      this.saveDetails();
    }
    this.pump();
  }

  /** Name and SKU are saved for themselves, so that a refused SKU costs no image. */
  saveDetails() {
    if (!this.product?.details) return;
    const { name, sku } = this.form.elements;
    if (!name.value && !sku.value && !this.detailsSaved) return;
    const body = new FormData();
    body.append("csrfmiddlewaretoken", csrfToken(this.form));
    body.append("name", name.value);
    body.append("sku", sku.value);
    this.saving = this.saving.then(async () => {
      const response = await fetch(this.product.details, { method: "POST", body, headers: { Accept: "application/json" } });
      const answer = await response.json().catch(() => ({ message: texts.failed }));
      this.detailsSaved = response.ok;
      this.detailsRefused = !response.ok;
      this.complain(answer.message || "");
    }).catch(() => {
      this.detailsRefused = true;
      this.complain(texts.offline);
    });
  }

  complain(text) {
    this.problem.textContent = text;
    this.problem.hidden = !text;
  }

  /** Show the product as soon as all of its images are through. */
  async open() {
    if (!this.product && !this.busy) {
      this.complain(texts.none);
      this.form.querySelector("input[type=file]").focus();
      return;
    }
    this.opening = true;
    this.changed();
  }

  async changed() {
    this.summary?.();
    if (this.busy) return;
    if (this.form.dataset.images) {
      if (this.items.some((item) => item.state === "kept")) {
        for (const item of this.items.filter((one) => one.state === "kept")) item.dispose();
        this.items = this.items.filter((item) => item.state !== "kept");
        document.dispatchEvent(new CustomEvent("images-added"));
      }
      return;
    }
    if (!this.opening) return;
    this.opening = false;
    if (!this.product) {
      this.complain(texts.none);
      return;
    }
    await this.saving;
    if (!this.detailsRefused && !this.tellLost()) window.location.assign(this.product.page);
  }

  /** Name the images that were not stored; whether there was one that the person had not been told of yet. */
  tellLost() {
    const lost = this.items.filter((item) => item.lost);
    if (lost.every((item) => item.told)) return false;
    for (const item of lost) item.told = true;
    const files = lost.map((item) => `${item.file.name}: ${item.row.querySelector(".file-state").textContent}`);
    this.complain([texts.lost, ...files].join(" "));
    return true;
  }

  /** Put this product on the list below and start with an empty form; its uploads go on. */
  next() {
    if (!this.items.length) {
      this.complain(texts.none);
      return this;
    }
    const line = document.createElement("li");
    const section = document.querySelector(".earlier");
    section.hidden = false;
    section.querySelector("ul").prepend(line);
    const { name, sku } = this.form.elements;
    this.summary = () => {
      const kept = this.items.filter((item) => item.state === "kept").length;
      const link = document.createElement(this.product ? "a" : "span");
      if (this.product) link.href = this.product.page;
      link.textContent = name.value || sku.value || texts.untitled;
      const count = document.createElement("span");
      count.textContent = ` ${kept} / ${this.items.length}`;
      const problems = this.items.filter((item) => item.lost);
      line.replaceChildren(link, count, ...problems.map((item) => {
        const problem = document.createElement("span");
        problem.className = "refusal";
        problem.textContent = `${item.file.name}: ${item.row.querySelector(".file-state").textContent}`;
        return problem;
      }), ...(this.detailsRefused ? [this.problem] : []));
    };
    this.summary();
    this.form.replaceWith(this.pristine);
    const fresh = new Upload(this.pristine);
    this.pristine.querySelector("input[type=file]").focus();
    return fresh;
  }
}

document.documentElement.classList.add("js");
const form = document.querySelector("form[data-upload]");
if (form) {
  const uploads = [];
  let current;
  const start = (upload) => {
    current = upload;
    uploads.push(upload);
    upload.form.querySelector("[data-next]")?.addEventListener("click", () => {
      const next = current.next();
      if (next !== current) start(next);
    });
  };
  start(new Upload(form));

  const holdsFiles = (event) => event.dataTransfer?.types.includes("Files");
  document.addEventListener("dragover", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    current.form.classList.add("dragging");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) current.form.classList.remove("dragging");
  });
  document.addEventListener("drop", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    current.form.classList.remove("dragging");
    current.add(event.dataTransfer.files);
  });
  document.addEventListener("paste", (event) => {
    if (event.clipboardData?.files.length) current.add(event.clipboardData.files);
  });
  window.addEventListener("beforeunload", (event) => {
    if (uploads.some((upload) => upload.busy)) event.preventDefault();
  });
}
