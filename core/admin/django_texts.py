"""Texts of Django's admin whose Korean reads wrong on our pages: `makemessages` finds them here, our catalogue wins.

`%(sel)s of %(cnt)s selected` belongs to them, too; it is a text of a script: see `locale/ko/LC_MESSAGES/djangojs.po`.
"""

from django.utils.translation import gettext_noop as _
from django.utils.translation import ngettext_lazy

TEXTS = (
    _("%(name)s with ID “%(key)s” doesn’t exist. Perhaps it was deleted?"),
    _("0 of %(cnt)s selected"),
    _(
        'Are you sure you want to delete the %(object_name)s "%(escaped_object)s"? All of the following related items '
        "will be deleted:"
    ),
    _(
        "Are you sure you want to delete the selected %(objects_name)s? All of the following objects and their related "
        "items will be deleted:"
    ),
    _("Cannot delete %(name)s"),
    _("Delete multiple objects"),
    _("Delete selected %(verbose_name_plural)s"),
    _("No, take me back"),
    _("Objects"),
    _(
        "Please enter your old password, for security’s sake, and then enter your new password twice so we can verify "
        "you typed it in correctly."
    ),
    _("Save and add another"),
    _("Save and continue editing"),
    _("Select %s to view"),
    _("Successfully deleted %(count)d %(items)s."),
    _("The %(name)s “%(obj)s” was deleted successfully."),
    _("The {name} “{obj}” was added successfully."),
    _("The {name} “{obj}” was added successfully. You may add another {name} below."),
    _("The {name} “{obj}” was changed successfully."),
    _("The {name} “{obj}” was changed successfully. You may add another {name} below."),
    _("The {name} “{obj}” was changed successfully. You may edit it again below."),
    _("View %s"),
    _("Yes, I’m sure"),
    _("You don’t have permission to view or edit anything."),
    _("You may edit it again below."),
    ngettext_lazy("%(total_count)s selected", "All %(total_count)s selected"),
)
