"""What can go wrong in the engine, as types that callers tell apart."""

from __future__ import annotations


class EngineError(Exception):
    """Base of everything that the engine raises on purpose."""


class DecodeError(EngineError):
    """A file that is not a usable image.

    `code` is stable, for programs: not_found, unreadable (the file cannot be opened), empty, not_an_image,
    too_many_pixels, damaged (an image whose pixels cannot be decoded). `message` is a sentence in English.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class WeightsError(EngineError):
    """The weights cannot be used; the message names the file or the model."""


class WeightsMissing(WeightsError):
    """The manifest, or a file that it lists, is not there."""


class WeightsMismatch(WeightsError):
    """A weight file has another sha256 than the manifest says. It was not loaded."""


class ManifestInvalid(WeightsError):
    """The manifest says something that the engine cannot work with."""
