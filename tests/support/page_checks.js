// What page_checks.py asks a page. It is evaluated in the page, so that it may do what the page's policy forbids.

window.checks = {
  /** What axe finds, by those of its rules or by all with those tags. */
  async axe({ tags, rules }) {
    const only = rules.length ? { type: "rule", values: rules } : { type: "tag", values: tags };
    const { violations } = await window.axe.run(document, { runOnly: only, resultTypes: ["violations"] });
    const why = (node, found) => (node.any[0] ?? node.all[0] ?? node.none[0])?.message ?? found.help;
    return violations.flatMap((found) => found.nodes.map((node) => `${found.id}: ${node.target.join(" ")} ${why(node, found)}`));
  },

  /** What is wider than the window, with a few of the elements that make it so. */
  tooWide() {
    const root = document.documentElement;
    if (root.scrollWidth <= root.clientWidth) return [];
    const wide = [...document.querySelectorAll("body *")].filter((one) => one.getBoundingClientRect().right > root.clientWidth + 0.5);
    const inner = wide.filter((one) => ![...one.children].some((child) => wide.includes(child)));
    const names = inner.slice(0, 4).map((one) => `${one.tagName.toLowerCase()}.${one.getAttribute("class")}`);
    return [`${root.scrollWidth - root.clientWidth} px wider than the window: ${names.join(", ")}`];
  },

  /** The controls that cannot be seen while they have the focus. */
  hiddenFocus() {
    const controls = "a[href], button, input, select, textarea, summary, [tabindex='0']";
    return [...document.querySelectorAll(controls)].filter((one) => {
      if (one.disabled || one.type === "hidden" || !one.checkVisibility({ visibilityProperty: true, opacityProperty: true })) return false;
      one.focus();
      const box = one.getBoundingClientRect();
      if (document.activeElement !== one || box.width <= 1 || box.height <= 1) return false; // a file field behind its label
      const x = Math.min(Math.max(box.left + box.width / 2, 1), innerWidth - 1);
      const heights = [box.top + 2, box.top + box.height / 2, box.bottom - 2].filter((y) => y > 0 && y < innerHeight);
      return !heights.some((y) => {
        const top = document.elementFromPoint(x, y);
        return top && (one.contains(top) || top.contains(one) || [...(one.labels ?? [])].some((label) => label.contains(top)));
      });
    }).map((one) => `${one.tagName.toLowerCase()}.${one.className} ${one.textContent.trim().slice(0, 30)}`);
  },
};
