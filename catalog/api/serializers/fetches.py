"""The shapes in which the API shows and takes images by URL."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from catalog.models import FetchedImage
from catalog.services.fetching import MOST_URLS
from core.api import ErrorBodySerializer, StrictSerializer
from core.outgoing import MOST_CHARACTERS


class UrlsField(serializers.ListField):
    """Addresses of images; what they are is judged where they are asked for."""

    child = serializers.CharField(max_length=MOST_CHARACTERS)

    def __init__(self, **kwargs: Any) -> None:
        help_text = "https:// or http://, in a network that is public; in the order that the images shall have."
        super().__init__(max_length=MOST_URLS, help_text=help_text, **kwargs)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "two photos",
            value={"urls": ["https://shop.example/front.jpg", "https://shop.example/back.jpg"]},
            request_only=True,
        )
    ]
)
class ImageUrlListSerializer(StrictSerializer):
    """Images that the site is to fetch."""

    urls = UrlsField(min_length=1)


class FetchSerializer(serializers.Serializer[Any]):
    """An image by URL, and what became of it."""

    id = serializers.CharField(source="public_id", help_text="Stable; part of the fetch's address.")
    url = serializers.CharField(help_text="Where the image is.")
    state = serializers.ChoiceField(
        FetchedImage.State.choices,
        help_text="`waiting`: it is or will be fetched; `done`: it is an image of the product; `refused`.",
    )
    error = serializers.SerializerMethodField(help_text="Why it was refused, or why it is tried again.")
    image = serializers.SerializerMethodField(help_text="Id of the image; null until there is one.")
    created_at = serializers.DateTimeField(help_text="When it was asked for.")
    finished_at = serializers.DateTimeField(allow_null=True, help_text="When it was added or refused.")

    @extend_schema_field(ErrorBodySerializer(allow_null=True))
    def get_error(self, fetch: FetchedImage) -> dict[str, Any] | None:
        """Return the code, and the sentence in the caller's language."""
        return dict(ErrorBodySerializer(fetch.error).data) if fetch.error else None

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_image(self, fetch: FetchedImage) -> str | None:
        """Return the image's id."""
        return fetch.image.public_id if fetch.image is not None else None


class FetchesSerializer(serializers.Serializer[Any]):
    """One entry per URL, in their order."""

    fetches = FetchSerializer(many=True, help_text="What is to be fetched.")
