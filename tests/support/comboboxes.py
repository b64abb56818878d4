"""Values chosen in a browser as people do: found in the list of a combobox."""


def combobox(page, label):
    """The field to type in: the script's, which takes the place of a list that answers to the same name until then."""
    return page.locator("input").and_(page.get_by_role("combobox", name=label, exact=True))


def choose(page, label, name):
    """Choose the value of that name from the list."""
    combobox(page, label).click()
    page.get_by_role("listbox", name=label, exact=True).get_by_role("option", name=name).first.click()
