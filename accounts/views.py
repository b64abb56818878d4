"""Logging in and out, the language, which shop one works in, and that shop's settings."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView as DjangoLoginView
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods
from django.views.i18n import set_language as set_language_cookie

from accounts.forms import LoginForm
from accounts.models import User
from accounts.portal import SESSION_KEY, PortalRequest, portal_view, posted_from
from accounts.services import set_photographs_for_training


class LoginView(DjangoLoginView):
    """Log in by e-mail; the pages then come in the person's language unless this browser has chosen another."""

    form_class = LoginForm
    template_name = "accounts/login.html"
    redirect_authenticated_user = True

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Log the person in and take over their language."""
        response = super().form_valid(form)
        user = form.get_user()
        if settings.LANGUAGE_COOKIE_NAME not in self.request.COOKIES and isinstance(user, User):
            response.set_cookie(settings.LANGUAGE_COOKIE_NAME, user.language, samesite="Lax")
        return response


@posted_from("catalog:products")
def set_language(request: HttpRequest) -> HttpResponseBase:
    """Switch the language of this browser and, for a known person, of their account; then back to the page."""
    response = set_language_cookie(request)
    language = request.POST.get("language")
    if request.user.is_authenticated and language in dict(settings.LANGUAGES):
        User.objects.filter(pk=request.user.pk).update(language=language)
    return response


@posted_from("catalog:products")
@portal_view
def switch_merchant(request: PortalRequest) -> HttpResponseBase:
    """Work in another of one's shops from now on; 404 for a shop that one does not belong to."""
    public_id = request.POST.get("merchant", "")
    membership = next((one for one in request.memberships if one.merchant.public_id == public_id), None)
    if membership is None:
        raise Http404
    request.session[SESSION_KEY] = public_id
    messages.info(request, _("You now work in %(shop)s.") % {"shop": membership.merchant})
    return redirect("catalog:products")


@require_http_methods(["GET", "HEAD", "POST"])
@portal_view
def shop_settings(request: PortalRequest, public_id: str) -> HttpResponseBase:
    """What an owner may set for the shop; 404 for another shop than the one that the person works in."""
    merchant = request.actor.merchant
    if merchant is None or merchant.public_id != public_id:
        raise Http404
    if not request.actor.is_owner:
        return render(request, "403.html", status=403)
    if request.method != "POST":
        return render(request, "accounts/shop_settings.html")
    allowed = "photographs_for_training" in request.POST
    set_photographs_for_training(actor=request.actor, merchant=merchant, allowed=allowed)
    messages.success(request, _("Saved."))
    return redirect("accounts:shop_settings", public_id)
