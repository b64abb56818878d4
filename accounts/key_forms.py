"""What the portal and the admin ask about API keys."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from django import forms
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from accounts.models import Scope

OVERLAPS = {
    "0": _("ends at once"),
    "1": _("stays good for an hour"),
    "24": _("stays good for a day"),
    "168": _("stays good for a week"),
    "720": _("stays good for 30 days"),
}


class NewKeyForm(forms.Form):
    """What a new key is called, what it may do, and how long it is good; the service says what is wrong with that."""

    name = forms.CharField(label=capfirst(_("name")), required=False)
    scopes = forms.MultipleChoiceField(
        label=_("It may"),
        choices=Scope.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        initial=list(Scope.values),
    )
    last_day = forms.DateField(
        label=_("Last day on which it is good"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("Empty: until somebody revokes it."),
    )

    def expires_at(self) -> datetime | None:
        """Return the end of the last day, in the site's time zone."""
        day = self.cleaned_data["last_day"]
        if day is None:
            return None
        return timezone.make_aware(datetime.combine(day + timedelta(days=1), time()))


class RotationForm(forms.Form):
    """How long the secret that programs use now stays good beside the new one."""

    overlap = forms.TypedChoiceField(
        label=_("The old secret"),
        choices=list(OVERLAPS.items()),
        coerce=lambda hours: timedelta(hours=int(hours)),
        initial="24",
    )
    # What the page knew: a form that is sent again must not replace the secret that the first one showed.
    seen = forms.CharField(widget=forms.HiddenInput, required=False)
