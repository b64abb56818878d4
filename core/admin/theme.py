"""The theme's classes under the types of Django's own: the theme ships no types."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TypeVar

    from django import forms
    from django.contrib.admin import ModelAdmin, TabularInline
    from django.contrib.admin import SimpleListFilter as DropdownFilter
    from django.contrib.auth.forms import AdminPasswordChangeForm, UserChangeForm
    from django.contrib.auth.forms import AdminUserCreationForm as UserCreationForm

    F = TypeVar("F", bound=Callable[..., Any])

    def action(  # noqa: D103 - typing only; the theme documents it
        *, description: Any, permissions: Iterable[str], dialog: dict[str, Any] | None = None, icon: str | None = None
    ) -> Callable[[F], F]: ...

    def display(  # noqa: D103 - as above
        *, description: Any, ordering: Any = None, boolean: bool | None = None, header: bool = False, label: Any = None
    ) -> Callable[[F], F]: ...

    class Dialog(forms.Form):
        request: Any
        object_id: Any

else:
    from unfold.admin import ModelAdmin, TabularInline
    from unfold.contrib.filters.admin import DropdownFilter
    from unfold.decorators import action, display
    from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
    from unfold.forms import BaseDialogForm as Dialog

__all__ = [
    "AdminPasswordChangeForm",
    "Dialog",
    "DropdownFilter",
    "ModelAdmin",
    "TabularInline",
    "UserChangeForm",
    "UserCreationForm",
    "action",
    "display",
]
