"""A person's own settings: name and language, what is stored about them, and having it erased."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts import attempts
from accounts.forms import ProfileForm
from accounts.portal import PortalRequest, portal_view
from accounts.services.audit import record
from accounts.services.people import change_profile
from accounts.services.personal import erase_person, export_person, owned_alone
from core.errors import Refused
from core.portal import posted_from


@require_http_methods(["GET", "HEAD", "POST"])
@portal_view
def profile(request: PortalRequest) -> HttpResponseBase:
    """Name and language."""
    form = ProfileForm(request.POST or None, instance=request.user)
    if request.method != "POST" or not form.is_valid():
        return render(request, "accounts/profile.html", {"form": form}, status=400 if form.is_bound else 200)
    try:
        change_profile(user=request.user, **form.cleaned_data)
    except Refused as refused:
        form.add_error("name", refused.message)
        return render(request, "accounts/profile.html", {"form": form}, status=400)
    messages.success(request, _("Saved."))
    response = redirect("accounts:profile")
    response.set_cookie(settings.LANGUAGE_COOKIE_NAME, request.user.language, samesite="Lax")
    return response


@require_safe
@portal_view
def my_data(request: PortalRequest) -> HttpResponseBase:
    """What is stored about the person: a copy, and the way to have it erased."""
    return render(request, "accounts/my_data.html", {"alone": owned_alone(request.user)})


@require_safe
@portal_view
def export(request: PortalRequest) -> HttpResponseBase:
    """A file with everything that is stored about the person."""
    user = request.user
    record(actor=request.actor, action="user.export", subject_type="user", subject_id=str(user.pk), merchant_id=None)
    answer = JsonResponse(export_person(user), json_dumps_params={"ensure_ascii": False, "indent": 2})
    name = f"otjang-{timezone.localdate():%Y-%m-%d}.json"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@posted_from("accounts:my_data")
@portal_view
def erase(request: PortalRequest) -> HttpResponse:
    """Erase the person, who types their password once more, and log them out."""
    user = request.user
    sentence = ""
    if minutes := attempts.minutes_to_wait(request, user.email, "password"):
        sentence = _("That was too often. Try again in %(minutes)d minutes.") % {"minutes": minutes}
    elif not user.check_password(request.POST.get("password", "")):
        sentence = _("This is not your password.")
    else:
        attempts.forget(request, user.email, "password")
        try:
            erase_person(actor=request.actor, user=user)
        except Refused as refused:
            sentence = refused.message
    if sentence:
        page = {"alone": owned_alone(user), "sentence": sentence}
        return render(request, "accounts/my_data.html", page, status=400)
    logout(request)
    messages.success(request, _("Your account is erased. Thank you for having been here."))
    return redirect("accounts:login")
