"""Where a person is logged in, and logging out elsewhere."""

from __future__ import annotations

from typing import cast

from allauth.usersessions.models import UserSession
from allauth.usersessions.views import ListUserSessionsView
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.portal import PortalRequest, portal_view
from accounts.security_events import note
from core.portal import posted_from


def list_devices(request: HttpRequest) -> HttpResponseBase:
    """List the sessions; a POST ends all others. One that began before sessions were listed is added first."""
    if (
        request.user.is_authenticated
        and not UserSession.objects.filter(session_key=request.session.session_key).exists()
    ):
        UserSession.objects.create_from_request(request)
    response = cast(HttpResponseBase, ListUserSessionsView.as_view()(request))
    if request.method == "POST" and isinstance(request.user, User):
        note(request, "user.session_end", request.user)
    return response


@posted_from("usersessions_list")
@portal_view
def end_session(request: PortalRequest, session_id: int) -> HttpResponse:
    """Log the person out on one other device."""
    session = get_object_or_404(UserSession, pk=session_id, user=request.user)
    if session.is_current():
        messages.info(request, _("That is this device: log out by the menu."))
    else:
        session.end()
        note(request, "user.session_end", request.user)
        messages.success(request, _("That device is logged out."))
    return redirect("usersessions_list")
