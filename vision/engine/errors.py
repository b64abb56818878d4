"""What can go wrong in the engine, as types that callers tell apart."""

from __future__ import annotations

from typing import Any


class EngineError(Exception):
    """Base of everything that the engine raises on purpose."""


class DecodeError(EngineError):
    """A file that is not a usable image.

    `code` is stable, for programs: not_found, unreadable (the file cannot be opened), empty, not_an_image,
    unsupported_format, too_many_pixels, too_many_pixels_for_format, too_long (or too narrow), damaged (an image whose
    pixels cannot be decoded). `message` is a sentence in English. Who writes sentences of their own has `details`:
    the `format` of what is not supported, the `limit` in megapixels, `width` and `height`.
    """

    def __init__(self, code: str, message: str, **details: object) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel between processes with all that belongs to it."""
        return type(self), (self.code, self.message), self.__dict__


class WeightsError(EngineError):
    """The weights cannot be used; the message names the file or the model."""


class WeightsMissing(WeightsError):
    """The manifest, or a file that it lists, is not there."""


class WeightsMismatch(WeightsError):
    """A weight file has another sha256 than the manifest says. It was not loaded."""


class ManifestInvalid(WeightsError):
    """The manifest says something that the engine cannot work with."""
