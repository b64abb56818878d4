"""allauth's forms with what is ours: e-mails by their key, and attempts that are counted."""

from __future__ import annotations

from typing import Any

from allauth.account import forms as account_forms
from allauth.core import context
from allauth.mfa.base import forms as code_forms
from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts import attempts
from accounts.models import User
from accounts.services.opening import open_shop
from core.text import lookup_key, tidied


def require_attempt(request: HttpRequest, email: str, what: str) -> None:
    """Count an attempt. Raises ValidationError `throttled` where none may be made."""
    minutes = attempts.minutes_to_wait(request, email, what)
    if minutes:
        sentence = _("That was too often. Try again in %(minutes)d minutes.")
        raise forms.ValidationError(sentence, "throttled", {"minutes": minutes})


class ResetForm(account_forms.ResetPasswordForm):
    """Asks for a link to set another password. Its answer never tells who has an account."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"] = forms.EmailField(
            label=_("E-mail"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"})
        )

    def clean_email(self) -> str:
        """Find the account however the e-mail is spelled; the mail goes to the address as it is stored."""
        email: str = self.cleaned_data["email"]
        self.users = list(User.objects.filter(email_key=lookup_key(email), is_active=True))
        return self.users[0].email if self.users else email


class NewAddressForm(account_forms.AddEmailForm):
    """Another e-mail, which counts once a link in a mail to it was followed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"] = forms.EmailField(
            label=_("New e-mail"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"})
        )

    def clean_email(self) -> str:
        """Refuse an e-mail that somebody has in another spelling."""
        email = self.cleaned_data["email"]
        owner = User.objects.filter(email_key=lookup_key(email)).first()
        if owner is not None:
            own = owner.pk == self.user.pk
            raise forms.ValidationError(
                _("This is your e-mail already.") if own else _("Somebody has this e-mail already."), "email_taken"
            )
        return str(super().clean_email())


class PasswordAgainForm(account_forms.ReauthenticateForm):
    """Asks for the password before matters that are the person's alone."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"] = forms.CharField(
            label=_("Password"),
            strip=False,
            widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
        )

    def clean_password(self) -> str:
        """Count, then look."""
        require_attempt(context.request, self.user.email, "password")
        password = str(super().clean_password())
        attempts.forget(context.request, self.user.email, "password")
        return password


class _Code(forms.Form):
    """Mixin: codes cannot be tried without end."""

    user: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"] = forms.CharField(
            label=_("Code"),
            max_length=20,
            widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "autofocus": True}),
        )

    def clean_code(self) -> str:
        """Count, then look; people type spaces between the digits."""
        require_attempt(context.request, self.user.email, "code")
        self.cleaned_data["code"] = self.cleaned_data["code"].replace(" ", "")
        code: str = super().clean_code()  # type: ignore[misc]  # of the form that this is mixed into
        attempts.forget(context.request, self.user.email, "code")
        return code


class CodeForm(_Code, code_forms.AuthenticateForm):
    """The second step of a log-in."""


class CodeAgainForm(_Code, code_forms.ReauthenticateForm):
    """A code before matters that are the person's alone."""


class SignUpForm(account_forms.SignupForm):
    """Opens an account and a merchant, where the site lets anybody do that."""

    field_order = ("email", "name", "merchant", "password1")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"] = forms.EmailField(
            label=_("E-mail"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"})
        )
        self.fields["name"] = forms.CharField(
            label=_("Your name"), max_length=100, widget=forms.TextInput(attrs={"autocomplete": "name"})
        )
        self.fields["merchant"] = forms.CharField(label=_("Name of the shop"), max_length=100)
        self.fields["password1"].label = _("Password")
        self.order_fields(list(self.field_order))

    def clean_merchant(self) -> str:
        """As it is shown."""
        return tidied(self.cleaned_data["merchant"])

    def validate_unique_email(self, value: str) -> str:
        """Note whether an account has the e-mail in any spelling; the answer does not tell, a mail to it does."""
        self.account_already_exists = User.objects.filter(email_key=lookup_key(value)).exists()
        return value

    def custom_signup(self, request: HttpRequest, user: Any) -> None:
        """Open the merchant; it can be entered once the e-mail is confirmed."""
        super().custom_signup(request, user)
        open_shop(owner=user, name=self.cleaned_data["merchant"])
