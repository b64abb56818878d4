"""Refusals: what a service raises when it will not do what was asked."""

from collections.abc import Mapping
from typing import Any, Self

from django.utils.functional import Promise


class Refused(Exception):
    """A request that is turned down, with a stable code for programs and a sentence for people.

    The sentence may be lazy, so that it comes out in the language of the person who reads it. `attribute` is the code
    of the attribute that it is about, where one of several was refused.
    """

    attribute = ""

    def __init__(self, code: str, message: str | Promise, params: Mapping[str, Any] | None = None) -> None:
        super().__init__(code)
        self.code = code
        self._message = message
        self.params = dict(params or {})

    @property
    def message(self) -> str:
        """The sentence, in the active language."""
        return str(self._message) % self.params if self.params else str(self._message)

    @property
    def template(self) -> str:
        """The sentence without its parameters, in the active language; in English that is the key of translations."""
        return str(self._message)

    def __str__(self) -> str:
        return self.message

    def kept(self) -> Self:
        """Return it for keeping it: without the frames that raised it, which hold files and pixels.

        Where one of them holds what it is kept in, nothing of it would go before Python looks for circles.
        """
        self.__traceback__ = self.__cause__ = self.__context__ = None
        return self


class Invalid(Refused):
    """The input is wrong; the sentence says what to do."""


class Conflict(Refused):
    """The input is right, but the state of the thing does not allow it (any more)."""


class Gone(Refused):
    """The thing was there when the request began, but somebody has deleted it meanwhile."""


class Forbidden(Refused):
    """The actor sees the thing but lacks the right to do this to it."""


class TooMuch(Refused):
    """The input is right, but nothing more may come for now.

    `seconds` says after how long it may.
    """

    def __init__(
        self, code: str, message: str | Promise, params: Mapping[str, Any] | None = None, *, seconds: int
    ) -> None:
        super().__init__(code, message, params)
        self.seconds = seconds
