"""Forms about the person rather than the products."""

from typing import TYPE_CHECKING, Any

from allauth.mfa.utils import is_mfa_enabled
from django import forms
from django.contrib.auth import password_validation
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from accounts import attempts
from accounts.models import User
from accounts.security_events import login_blocked

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
            login_blocked(self.request, email)
            raise forms.ValidationError(
                _("Too many attempts to log in. Try again in %(minutes)d minutes."), "throttled", {"minutes": minutes}
            )
        cleaned = super().clean()
        attempts.forget(self.request, email)
        return cleaned


class AdminLoginForm(CountedLogin, AdminAuthenticationForm):
    """The admin's log-in page, for people who set up no second step: the portal's page is the one that asks for it."""

    def confirm_login_allowed(self, user: Any) -> None:
        """Send people with a second step to the portal's page, which leads back here."""
        super().confirm_login_allowed(user)
        if is_mfa_enabled(user):
            address = f"{reverse('accounts:login')}?next={reverse('admin:index')}"
            sentence = _('This account has a second step. <a href="{}">Log in on the page that asks for it.</a>')
            raise forms.ValidationError(format_html(str(sentence), address), "second_step")


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


class ChangeOfPassword(PasswordChangeForm):
    """Another password for the one that the person has."""

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def clean_old_password(self) -> str:
        """Count, then look."""
        minutes = attempts.minutes_to_wait(self.request, self.user.email, "password")
        if minutes:
            sentence = _("That was too often. Try again in %(minutes)d minutes.")
            raise forms.ValidationError(sentence, "throttled", {"minutes": minutes})
        password = super().clean_old_password()
        attempts.forget(self.request, self.user.email, "password")
        return password


class ProfileForm(forms.ModelForm[User]):
    """What a person is called, and which language they read."""

    class Meta:
        model = User
        fields = ("name", "language")


class JoinForm(forms.Form):
    """The account of somebody who was invited."""

    name = forms.CharField(label=_("Your name"), max_length=100, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    password = forms.CharField(
        label=_("Choose a password"), strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = password_validation.password_validators_help_text_html()
        self.email = email

    def clean(self) -> dict[str, Any]:
        """Refuse a password that is easily guessed from e-mail or name."""
        cleaned = super().clean() or {}
        if password := cleaned.get("password"):
            person = User(email=self.email, name=cleaned.get("name", ""))
            try:
                password_validation.validate_password(password, person)
            except forms.ValidationError as error:
                self.add_error("password", error)
        return cleaned
