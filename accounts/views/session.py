"""Logging in, the password, the language, and which merchant one works in."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import urljoin, urlsplit

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from allauth.account.signals import password_changed
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.forms import AuthenticationForm, SetPasswordForm
from django.contrib.auth.views import LoginView as DjangoLoginView
from django.contrib.auth.views import LogoutView, PasswordChangeView
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.i18n import set_language as set_language_cookie

from accounts.forms import ChangeOfPassword, LoginForm
from accounts.impersonation import impersonator_of
from accounts.models import User
from accounts.page_of import page_of
from accounts.portal import SESSION_KEY, PortalRequest, portal_view
from accounts.services import change_password
from core.portal import posted_from, wants_json

THEMES = ("light", "dark")
THEME_COOKIE = "theme"  # static/js/frame.js writes it, too
THEME_SECONDS = 365 * 24 * 3600


class LoginView(DjangoLoginView):
    """Log in by e-mail; the pages then come in the person's language unless this browser has chosen another."""

    form_class = LoginForm
    template_name = "accounts/login.html"
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With whether anybody may open a merchant."""
        return super().get_context_data(**kwargs) | {"sign_up": settings.OTJANG_SIGN_UP}

    def get_redirect_url(self, *args: Any) -> str:
        """Return where the person wanted to go, unless that is here, or to log out: nobody would arrive."""
        url = super().get_redirect_url(*args)
        here = (self.request.path, reverse("accounts:logout"), reverse("admin:login"), reverse("admin:logout"))
        return "" if urlsplit(urljoin(self.request.path, url)).path in here else url

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Tell a script who is logged in; the cookie brings it the token that a form would hold."""
        if wants_json(request) and (request.method == "GET" or request.user.is_authenticated):
            get_token(request)
            return JsonResponse({"page_of": page_of(request)})
        return super().dispatch(request, *args, **kwargs)

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        """Say why not."""
        if not wants_json(self.request):
            return super().form_invalid(form)
        sentences = [str(sentence) for errors in form.errors.values() for sentence in errors]
        return JsonResponse({"code": "not_authenticated", "message": " ".join(sentences)}, status=400)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Log the person in, or lead to the second step that they have set up, and take over their language."""
        user = form.get_user()
        assert isinstance(user, User)
        dialog = wants_json(self.request)
        after = reverse("accounts:logged_in") if dialog else self.get_success_url()
        response = self._perform(Login(user=user, email=user.email.lower(), redirect_url=after))
        if dialog and not self.request.user.is_authenticated:
            message = _("Your account asks for a second step, on a page of its own. Then come back and go on here.")
            return JsonResponse(
                {"code": "second_step", "message": message, "location": response["Location"]}, status=403
            )
        if dialog:
            self._stay_in(self.request.POST.get("merchant", ""))
            response = JsonResponse({"page_of": page_of(self.request)})
        if settings.LANGUAGE_COOKIE_NAME not in self.request.COOKIES:
            response.set_cookie(settings.LANGUAGE_COOKIE_NAME, user.language, samesite="Lax")
        return response

    def _perform(self, login: Login) -> HttpResponse:
        return cast(HttpResponse, perform_password_login(self.request, {"email": login.email}, login))

    def _stay_in(self, merchant: str) -> None:
        """Go on in the merchant that the person's page is of, if it is one of theirs."""
        if any(one.merchant.public_id == merchant for one in cast(PortalRequest, self.request).memberships):
            self.request.session[SESSION_KEY] = merchant


log_out = posted_from("accounts:login")(LogoutView.as_view())


@portal_view
def logged_in(request: PortalRequest) -> HttpResponse:
    """Say that the second step is done, to somebody whose page waits in another tab."""
    return render(request, "accounts/logged_in.html")


class PasswordView(PasswordChangeView):
    """Choose another password; the present one has to be given, and cannot be guessed without end."""

    form_class = ChangeOfPassword
    template_name = "accounts/password.html"

    def get_form_kwargs(self) -> dict[str, Any]:
        """With the request, whose attempts are counted."""
        return super().get_form_kwargs() | {"request": self.request}

    def form_valid(self, form: SetPasswordForm[User]) -> HttpResponse:
        """Store it; this browser stays logged in, others do not."""
        change_password(user=form.user, password=form.cleaned_data["new_password1"])
        update_session_auth_hash(self.request, form.user)
        password_changed.send(sender=User, request=self.request, user=form.user)  # the list of devices listens
        get_adapter(self.request).send_notification_mail("account/email/password_changed", form.user)
        messages.success(self.request, _("Your password was changed. Other browsers have to log in again."))
        return redirect("catalog:products")


@posted_from("catalog:products")
def set_language(request: HttpRequest) -> HttpResponseBase:
    """Switch the language of this browser and, for a known person, of their account; then back to the page."""
    response = set_language_cookie(request)
    language = request.POST.get("language")
    own = impersonator_of(request) is None
    if request.user.is_authenticated and own and language in dict(settings.LANGUAGES):
        User.objects.filter(pk=request.user.pk).update(language=language)
    return response


def _way_back(request: HttpRequest) -> str:
    """Return the page of this site that a form names in `next`, else the list."""
    page = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(page, {request.get_host()}, require_https=request.is_secure())
    return page if is_ours else reverse("catalog:products")


@posted_from("catalog:products")
def set_theme(request: HttpRequest) -> HttpResponse:
    """Show the site in this browser in light, in dark, or (anything else) as the device does; then back to the page."""
    back = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        back, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    response = redirect(back if is_ours else "catalog:products")
    theme = request.POST.get("theme", "")
    if theme in THEMES:
        response.set_cookie(THEME_COOKIE, theme, max_age=THEME_SECONDS, samesite="Lax", secure=settings.HTTPS)
    else:
        response.delete_cookie(THEME_COOKIE)
    return response


@posted_from("catalog:products")
@portal_view
def switch_merchant(request: PortalRequest) -> HttpResponseBase:
    """Work in another of one's merchants from now on; 404 for a merchant that one does not belong to."""
    public_id = request.POST.get("merchant", "")
    membership = next((one for one in request.memberships if one.merchant.public_id == public_id), None)
    if membership is None:
        raise Http404
    request.session[SESSION_KEY] = public_id
    messages.info(request, _("You now work in %(merchant)s.") % {"merchant": membership.merchant})
    return redirect(_way_back(request))
