"""The Otjang API in Python: `Client`, and `AsyncClient` for programs with an event loop."""

from otjang import webhooks
from otjang._calls import File
from otjang._retries import Retries
from otjang._version import __version__
from otjang.aio import AsyncClient
from otjang.client import Client
from otjang.errors import (
    ApiError,
    BadRequest,
    ClassificationFailed,
    Conflict,
    FieldError,
    InvalidWebhook,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    OtjangError,
    PreconditionFailed,
    RateLimited,
    ServerError,
    TooLarge,
    Unprocessable,
    Unreachable,
    WaitedTooLong,
)
from otjang.models import Found, Image, Line, Product, Task, Upload, Value

__all__ = [
    "ApiError",
    "AsyncClient",
    "BadRequest",
    "ClassificationFailed",
    "Client",
    "Conflict",
    "FieldError",
    "File",
    "Found",
    "Image",
    "InvalidWebhook",
    "Line",
    "NotAllowed",
    "NotAuthenticated",
    "NotFound",
    "OtjangError",
    "PreconditionFailed",
    "Product",
    "RateLimited",
    "Retries",
    "ServerError",
    "Task",
    "TooLarge",
    "Unprocessable",
    "Unreachable",
    "Upload",
    "Value",
    "WaitedTooLong",
    "__version__",
    "webhooks",
]
