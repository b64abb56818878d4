"""What of a page would run, or style it, without being a file of ours: nothing of it works under the strict policy."""

from html.parser import HTMLParser

DATA = {"application/json", "application/ld+json"}


class _Found(HTMLParser):
    def __init__(self):
        super().__init__()
        self.scripts, self.styles = [], []

    def handle_starttag(self, tag, attrs):
        said = dict(attrs)
        if tag == "script" and not said.get("src") and said.get("type") not in DATA:
            self.scripts.append(self.get_starttag_text())
        if tag == "style" or "style" in said:
            self.styles.append(self.get_starttag_text())
        for name, value in attrs:
            target = (value or "").strip().lower()
            if (
                name.startswith(("on", "hx-on"))
                or (name in {"href", "action", "formaction", "src"} and target.startswith(("javascript:", "data:text")))
                or name == "srcdoc"
            ):
                self.scripts.append(self.get_starttag_text())


def inline_scripts(html):
    """Return the tags that hold a script, or an attribute that is one."""
    found = _Found()
    found.feed(html)
    return found.scripts


def inline_styles(html):
    """Return the tags that hold styles."""
    found = _Found()
    found.feed(html)
    return found.styles
