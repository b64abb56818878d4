"""Values chosen in a browser as people do: found in the list of a combobox."""


def combobox(page, label):
    """The field to type in."""
    return page.get_by_role("combobox", name=label, exact=True)


def choose(page, label, name):
    """Choose the value of that name from the list."""
    combobox(page, label).click()
    page.get_by_role("listbox", name=label, exact=True).get_by_role("option", name=name).first.click()
