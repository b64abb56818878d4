"""The codes of errors that webhooks answer with."""

from django.utils.translation import gettext_lazy as _

from core.api.problem_types import ProblemType, register

register(
    ProblemType("unknown_event", 400, _("There is no event of this name; the schema lists them."), "/events"),
    ProblemType("overlap", 400, _("The secret before can stay good for at most a week."), "/overlap_hours"),
    ProblemType("endpoint_off", 409, _("The webhook is switched off. Switch it on first: PATCH `active`.")),
    ProblemType("too_many_endpoints", 409, _("The shop has as many webhooks as it may have. Delete one.")),
)
