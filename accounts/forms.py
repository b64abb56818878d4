"""Forms about the person rather than the products."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.utils.translation import gettext_lazy as _

from accounts import attempts

if TYPE_CHECKING:  # the theme ships no types
    from django.contrib.admin.forms import AdminAuthenticationForm
else:
    from unfold.forms import AuthenticationForm as AdminAuthenticationForm


class CountedLogin(AuthenticationForm):
    """Mixin: passwords cannot be tried without end."""

    def clean(self) -> dict[str, Any]:
        """Refuse before the password is looked at, so that a right one is not told from a wrong one."""
        email, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if self.request is None or not email or not password:
            return super().clean()
        minutes = attempts.minutes_to_wait(self.request, email)
        if minutes:
            raise forms.ValidationError(
                _("Too many attempts to log in. Try again in %(minutes)d minutes."), "throttled", {"minutes": minutes}
            )
        cleaned = super().clean()
        attempts.forget(email)
        return cleaned


class AdminLoginForm(CountedLogin, AdminAuthenticationForm):
    """The admin's log-in page."""


class LoginForm(CountedLogin):
    """Log in by e-mail and password."""

    error_messages = {
        "invalid_login": _("No account has this e-mail and password. Upper and lower case matter in the password."),
        "inactive": _("This account has been switched off."),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = _("E-mail")
        self.fields["username"].widget = forms.EmailInput(
            attrs={"autocomplete": "username", "autofocus": True, "maxlength": 254}
        )
