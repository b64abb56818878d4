"""What is wrong with a page as a browser shows it: what axe finds, what is too wide, what jumps, what hides focus."""

from pathlib import Path

HERE = Path(__file__).parent
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

# What was shifted without somebody having done something, as browsers count it.
OBSERVE_SHIFTS = """window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    if (!entry.hadRecentInput) window.shifts.push([entry.value, entry.sources.map(({node}) => {
      const element = node?.nodeType === 1 ? node : node?.parentElement;
      return element ? `${element.tagName.toLowerCase()}.${element.className}` : "?";
    }).join(" ")]);
  }
}).observe({type: "layout-shift", buffered: true});"""


def _ask(page, question, argument=None):
    if not page.evaluate("'checks' in window"):
        page.evaluate((HERE / "axe/axe.min.js").read_text())
        page.evaluate((HERE / "page_checks.js").read_text())
    return page.evaluate(f"(argument) => window.checks.{question}(argument)", argument)


def axe(page, *rules):
    """Return what axe finds, by all of its rules of WCAG 2.2 AA and good practice or by those named."""
    return _ask(page, "axe", {"tags": TAGS, "rules": list(rules)})


def too_wide(page):
    """Return what is wider than the window."""
    return _ask(page, "tooWide")


def hidden_focus(page):
    """Return the controls that cannot be seen while they have the focus."""
    return _ask(page, "hiddenFocus")


def shifts(page):
    """Return how much has jumped since the page began, and what; the page needs OBSERVE_SHIFTS from the start."""
    entries = page.evaluate("window.shifts")
    return sum(value for value, _nodes in entries), [nodes for _value, nodes in entries]
