"""What a browser would send of a page's form if nothing were touched."""

from html.parser import HTMLParser

from django.contrib.messages import get_messages


class _Controls(HTMLParser):
    def __init__(self, form):
        super().__init__()
        self.form = form
        self.inside = False
        self.select = None
        self.fields = {}

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "form":
            self.inside = attrs.get("id") == self.form
        if not self.inside and attrs.get("form") != self.form:
            return
        ticked = attrs.get("type") not in ("radio", "checkbox") or "checked" in attrs
        if tag == "input" and ticked:
            self.fields[attrs["name"]] = attrs.get("value", "")
        elif tag == "select":
            self.select = None if "disabled" in attrs else attrs["name"]
        elif tag == "option" and self.select and ("selected" in attrs or self.select not in self.fields):
            self.fields[self.select] = attrs["value"]

    def handle_endtag(self, tag):
        if tag == "form":
            self.inside = False
        elif tag == "select":
            self.select = None


def fields_of(page, form):
    """The fields of the form with that id: the selected or first option, what is checked, what is hidden."""
    controls = _Controls(form)
    controls.feed(page)
    return controls.fields


def messages_of(response):
    """What the page told its user about the request, as texts."""
    return [str(message) for message in get_messages(response.wsgi_request)]


def review_form(client, product):
    """What the review form of a product's page would send if nothing were touched."""
    return fields_of(client.get(f"/products/{product.public_id}").text, "review")
