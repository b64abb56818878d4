"""What every endpoint of the API shares: one shape of errors, strict bodies, pages of lists, conditional requests.

The schema's common parts are in `core.api.schema`, the pages that explain errors in `core.api.problem_pages`. Neither
is imported here: the framework asks for this package while its own views are still being read.
"""

from core.api.advice import one_of
from core.api.bodies import BinaryFileField, SentenceJSONParser, StrictSerializer, body_of, unknown_fields
from core.api.conditional import check_match, check_version, conditional, tag_of
from core.api.fields import (
    SELECTION_PARAMETERS,
    SelectedFieldsSerializer,
    Selection,
    selection_of,
    selection_parameters,
)
from core.api.pages import CursorPages
from core.api.problem_types import MEDIA_TYPE, ProblemType, problem_type, register
from core.api.problems import (
    DatabaseAway,
    EmptyBody,
    ErrorBodySerializer,
    FieldError,
    IncompleteBody,
    PreconditionFailed,
    ProblemSerializer,
    StorageAway,
    TooLarge,
    TooManyParts,
    exception_handler,
    plain_problem,
    problem,
    problem_body,
    refusal_of,
    refusals,
    status_of,
)
from core.api.request_ids import is_api, is_api_path, request_id_of

__all__ = [
    "MEDIA_TYPE",
    "SELECTION_PARAMETERS",
    "BinaryFileField",
    "CursorPages",
    "DatabaseAway",
    "EmptyBody",
    "ErrorBodySerializer",
    "FieldError",
    "IncompleteBody",
    "PreconditionFailed",
    "ProblemSerializer",
    "ProblemType",
    "SelectedFieldsSerializer",
    "Selection",
    "SentenceJSONParser",
    "StorageAway",
    "StrictSerializer",
    "TooLarge",
    "TooManyParts",
    "body_of",
    "check_match",
    "check_version",
    "conditional",
    "exception_handler",
    "is_api",
    "is_api_path",
    "one_of",
    "plain_problem",
    "problem",
    "problem_body",
    "problem_type",
    "refusal_of",
    "refusals",
    "register",
    "request_id_of",
    "selection_of",
    "selection_parameters",
    "status_of",
    "tag_of",
    "unknown_fields",
]
