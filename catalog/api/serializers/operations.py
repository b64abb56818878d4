"""The shapes in which the API shows and starts operations."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from accounts.channels import Channel
from accounts.models import Operation
from accounts.services import result_files
from catalog.api.choosing import ChosenProductsSerializer
from catalog.models import ProductImport
from catalog.product_columns import Wording
from catalog.services import bulk, exports
from catalog.services.exports import Format
from catalog.services.imports.leased import CHECK, IMPORT
from core.api import BinaryFileField, StrictSerializer

KINDS = {exports.KIND: "export", CHECK: "import_check", IMPORT: "import"}
BULK = "bulk"
OPERATION_KINDS = (BULK, *KINDS.values())
ACTIONS = (*bulk.ACTIONS, bulk.UNDO)


def has_result(operation: Operation) -> bool:
    """Whether `/operations/{id}/result` has something: a file, or what became of each product or line."""
    if operation.kind == exports.KIND:
        return operation.state == Operation.State.DONE and result_files.is_there(operation)
    return operation.finished_at is not None


class ImportCheckSerializer(serializers.Serializer[ProductImport]):
    """What an import would do."""

    phase = serializers.ChoiceField(ProductImport.Phase.choices, help_text="How far the import is.")
    counts = serializers.DictField(
        child=serializers.IntegerField(), help_text="How many lines would be `new`, `change`, `same` or `wrong`."
    )
    expires_at = serializers.DateTimeField(help_text="When the files are deleted, unless they are imported.")


UNDER_WAY = OpenApiExample(
    "under way",
    value={
        "id": "70pf28xnx4hv0vm239at",
        "kind": "bulk",
        "action": "publish",
        "state": "running",
        "total": 1200,
        "done": 350,
        "failed": 2,
        "error": None,
        "started_by": "till",
        "channel": "api",
        "created_at": "2026-11-27T08:00:00+09:00",
        "started_at": "2026-11-27T08:00:01+09:00",
        "finished_at": None,
        "result": None,
        "undone_by": None,
        "check": None,
    },
    response_only=True,
    status_codes=["200", "202"],
)


@extend_schema_serializer(examples=[UNDER_WAY])
class OperationSerializer(serializers.Serializer[Operation]):
    """A long job of a worker, and how far it is."""

    id = serializers.CharField(source="public_id", help_text="Stable; part of the operation's address.")
    kind = serializers.SerializerMethodField(help_text="What kind of job.")
    action = serializers.SerializerMethodField(help_text="What a bulk operation does to each product.")
    state = serializers.ChoiceField(Operation.State.choices, help_text="How far it is.")
    total = serializers.IntegerField(help_text="Products or lines; 0 until they are counted.")
    done = serializers.IntegerField(help_text="How many of them are done.")
    failed = serializers.IntegerField(help_text="How many could not be done.")
    error = serializers.SerializerMethodField(help_text="Code of why all of it failed; null otherwise.")
    started_by = serializers.SerializerMethodField(help_text="The person's or the key's name.")
    channel = serializers.SerializerMethodField(help_text="Where it was started.")
    created_at = serializers.DateTimeField(help_text="When it was started.")
    started_at = serializers.DateTimeField(allow_null=True, help_text="When a worker began.")
    finished_at = serializers.DateTimeField(allow_null=True, help_text="When it ended.")
    result = serializers.SerializerMethodField(help_text="Where the file or report is; null while there is none.")
    undone_by = serializers.SerializerMethodField(help_text="The operation that undid it.")
    check = serializers.SerializerMethodField(help_text="Of an import, what the look through its files found.")

    @extend_schema_field(serializers.ChoiceField(OPERATION_KINDS))
    def get_kind(self, operation: Operation) -> str:
        """Return it in a word."""
        return KINDS.get(operation.kind, BULK)

    @extend_schema_field(serializers.ChoiceField(ACTIONS, allow_null=True))
    def get_action(self, operation: Operation) -> str | None:
        """Return the action's code."""
        return bulk.action_of(operation) if operation.kind.startswith(bulk.KIND) else None

    def get_error(self, operation: Operation) -> str | None:
        """Return the code."""
        return operation.error or None

    def get_started_by(self, operation: Operation) -> str | None:
        """Return a name."""
        if operation.api_key is not None:
            return operation.api_key.name
        return str(operation.created_by) if operation.created_by is not None else None

    @extend_schema_field(serializers.ChoiceField(Channel.choices, allow_null=True))
    def get_channel(self, operation: Operation) -> str | None:
        """Return where it was started."""
        channel: str | None = operation.parameters.get("channel")
        return channel

    @extend_schema_field(serializers.URLField(allow_null=True))
    def get_result(self, operation: Operation) -> str | None:
        """Return the address."""
        if not has_result(operation):
            return None
        path = reverse("api:operation_result", args=[operation.public_id])
        return str(self.context["request"].build_absolute_uri(path))

    def get_undone_by(self, operation: Operation) -> str | None:
        """Return its id."""
        undone_by: str | None = operation.parameters.get("undone_by")
        return undone_by

    @extend_schema_field(ImportCheckSerializer(allow_null=True))
    def get_check(self, operation: Operation) -> dict[str, Any] | None:
        """Return what the view has read: imports by their public ids."""
        found = self.context["imports"].get(operation.parameters.get("import"))
        return dict(ImportCheckSerializer(found).data) if found is not None else None


class BulkActionSerializer(StrictSerializer):
    """The same thing to do to many products."""

    action = serializers.ChoiceField(list(bulk.ACTIONS))
    products = ChosenProductsSerializer()
    attribute = serializers.CharField(required=False, max_length=100, help_text="Of `set`: the attribute's code.")
    value = serializers.CharField(required=False, max_length=100, help_text="Of `set`: the value's code.")
    not_applicable = serializers.BooleanField(required=False, help_text="Of `set`, in place of a value.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Demand what the action needs and nothing else.

        Raises:
            ValidationError: `required`, `unknown_field`, `one_answer`.
        """
        said = {name for name in ("attribute", "value", "not_applicable") if name in attrs}
        if attrs["action"] != "set":
            if said:
                sentence = _("Only “set” takes this.")
                raise serializers.ValidationError({name: [sentence] for name in said}, "unknown_field")
        elif "attribute" not in said:
            raise serializers.ValidationError({"attribute": [_("Say which attribute to set.")]}, "required")
        elif ("value" in attrs) == bool(attrs.get("not_applicable")):
            raise serializers.ValidationError(_("Send either a value or “not_applicable”: true."), "one_answer")
        return attrs


class ExportSerializer(StrictSerializer):
    """Products to write into a file."""

    products = ChosenProductsSerializer()
    format = serializers.ChoiceField([(one.value, one.value) for one in Format])
    words = serializers.ChoiceField(
        [(one.value, one.value) for one in Wording],
        required=False,
        default=Wording.CODES.value,
        help_text="In which words heads and values are written.",
    )
    mapping = serializers.CharField(
        required=False,
        max_length=100,
        help_text="Code of a marketplace's mapping, whose names are written beside ours.",
    )
    images = serializers.BooleanField(required=False, default=False, help_text="Of a ZIP: with the photos.")


class ImportFilesSerializer(StrictSerializer):
    """Files to import: a table (CSV or XLSX), photos, or ZIP files with both."""

    files = serializers.ListField(child=BinaryFileField(allow_empty_file=True), help_text="May be repeated.")
