"""The codes of errors that callers meet before any product is looked at: who they are, and how much they may."""

from django.utils.translation import gettext_lazy as _

from core.api.problem_types import ProblemType, register

register(
    ProblemType("api_key_expired", 401, _("The time of this API key is over. An owner of the shop makes a new one.")),
    ProblemType("insufficient_scope", 403, _("The key lacks the scope that the operation needs.")),
    ProblemType("no_merchant", 403, _("The person belongs to no shop.")),
    ProblemType(
        "image_quota_exceeded", 429, _("As many photos as may come on one day have come. /usage says when it ends.")
    ),
    ProblemType(
        "byte_quota_exceeded", 429, _("As many bytes as may come on one day have come. /usage says when it ends.")
    ),
)
