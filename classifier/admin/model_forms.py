"""What the registry's pages ask people for."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from catalog.selectors import Taxonomy
from classifier.models import ModelVersion
from classifier.registry import shadow
from classifier.registry.registration import LICENCE_LENGTH, roles
from core.admin.theme import Dialog
from vision.engine.manifest import NOT_VISIBLE


class MappingForm(Dialog):
    """A choice of value for each class that stands for none yet."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        version = ModelVersion.objects.filter(pk=self.object_id).first()
        self._names = {f"class_{index}": name for index, name in enumerate(version.unknown_classes if version else ())}
        taxonomy = Taxonomy.load()
        if version is None or version.role not in taxonomy.attributes:  # switched off since
            self._names = {}
            return
        leaves = taxonomy.leaves(version.role)
        choices = [("", "?"), *((value.code, f"{value.name} ({value.code})") for value in leaves)]
        choices.append((NOT_VISIBLE, str(_("not visible in the photo"))))
        for field, name in self._names.items():
            self.fields[field] = forms.ChoiceField(
                label=name, choices=choices, required=False, widget=UnfoldAdminSelectWidget
            )

    def chosen_values(self) -> dict[str, str]:
        """Codes of values by class."""
        return {name: self.cleaned_data[field] for field, name in self._names.items() if self.cleaned_data[field]}


class SampleForm(Dialog):
    """On how many images."""

    sample = forms.IntegerField(
        label=capfirst(_("photos, about")),
        initial=1000,
        min_value=1,
        max_value=shadow.MOST_SAMPLED,
        help_text=_("Products are drawn at random until there are so many."),
        widget=UnfoldAdminIntegerFieldWidget,
    )


class UploadForm(forms.Form):
    """Weights with what a model of that kind needs to serve."""

    file = forms.FileField(
        label=capfirst(_("file")),
        help_text=_("An ultralytics checkpoint (.pt). A worker opens it once, without network, and exports it."),
        widget=UnfoldAdminFileFieldWidget,
    )
    role = forms.ChoiceField(label=capfirst(_("role")), widget=UnfoldAdminSelectWidget)
    name = forms.CharField(
        label=capfirst(_("name")),
        max_length=100,
        required=False,
        help_text=_("By default the file's own."),
        widget=UnfoldAdminTextInputWidget,
    )
    mapping = forms.CharField(
        label=capfirst(_("values of classes")),
        required=False,
        help_text=_("One CLASS=VALUE a line, for classes that the taxonomy does not know by code or alias."),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )
    threshold = forms.FloatField(
        label=capfirst(_("least score of a box")),
        min_value=0.01,
        max_value=0.99,
        required=False,
        help_text=_("Detectors only; by default 0.25."),
        widget=UnfoldAdminTextInputWidget,
    )
    image_size = forms.IntegerField(
        label=capfirst(_("input size")),
        min_value=32,
        max_value=2048,
        required=False,
        help_text=_("Side of the input in pixels; by default as trained."),
        widget=UnfoldAdminIntegerFieldWidget,
    )
    licence = forms.CharField(
        label=capfirst(_("licence")),
        max_length=LICENCE_LENGTH,
        required=False,
        help_text=_("By default what the file says."),
        widget=UnfoldAdminTextInputWidget,
    )
    card = forms.CharField(
        label=capfirst(_("card")),
        required=False,
        help_text=_("What it was trained on, how it was measured, and what it cannot do."),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 6}),
    )
    activate = forms.BooleanField(
        label=capfirst(_("promote at once")), required=False, widget=UnfoldBooleanSwitchWidget
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        role = self.fields["role"]
        assert isinstance(role, forms.ChoiceField)
        role.choices = [(code, code) for code in roles()]

    def clean_mapping(self) -> dict[str, str]:
        """Read lines as pairs."""
        pairs = {}
        for line in filter(None, map(str.strip, self.cleaned_data["mapping"].splitlines())):
            name, separator, value = line.rpartition("=")
            if not (separator and name.strip() and value.strip()):
                raise forms.ValidationError(_("“%(line)s” is not of the form CLASS=VALUE."), params={"line": line})
            pairs[name.strip()] = value.strip()
        return pairs
