"""What the codes of the audit trail and of operations mean in words: the one place where a new one gets its label."""

from __future__ import annotations

from django.apps import apps
from django.utils.translation import gettext, gettext_lazy

ACTIONS = {
    "api_key.create": gettext_lazy("made an API key"),
    "api_key.rotate": gettext_lazy("replaced the secret of an API key"),
    "api_key.revoke": gettext_lazy("revoked an API key"),
    "acceptancethreshold.calibrate": gettext_lazy("calibrated acceptance thresholds"),
    "auditevent.export": gettext_lazy("exported the audit trail"),
    "attribute.order": gettext_lazy("put the attributes in another order"),
    "attribute.order_values": gettext_lazy("put values in another order"),
    "attributevalue.merge": gettext_lazy("merged a value into another"),
    "attributevalue.offer": gettext_lazy("offered a retired value again"),
    "attributevalue.retire": gettext_lazy("retired a value"),
    "attributevalue.separate": gettext_lazy("took back the merge of a value"),
    "deployment.promote": gettext_lazy("promoted models"),
    "deployment.roll_back": gettext_lazy("rolled back to the models before"),
    "endpoint.change": gettext_lazy("changed a webhook"),
    "endpoint.create": gettext_lazy("added a webhook"),
    "endpoint.delete": gettext_lazy("deleted a webhook"),
    "endpoint.replay": gettext_lazy("had something sent to a webhook again"),
    "endpoint.rotate": gettext_lazy("gave a webhook another secret"),
    "image.add": gettext_lazy("added photos"),
    "garment.change": gettext_lazy("changed a garment's box"),
    "garment.draw": gettext_lazy("drew a garment"),
    "garment.remove": gettext_lazy("removed a garment's box"),
    "garment.take_back": gettext_lazy("took back a change of a garment's box"),
    "image.archive": gettext_lazy("removed a photo"),
    "image.delete": gettext_lazy("deleted a photo for good"),
    "image.reorder": gettext_lazy("put the photos in another order"),
    "image.put_back": gettext_lazy("put back a photo"),
    "mapping.offer": gettext_lazy("offered a mapping to merchants"),
    "mapping.save": gettext_lazy("stored a version of a mapping"),
    "mapping.withdraw": gettext_lazy("stopped offering a mapping"),
    "membership.change_role": gettext_lazy("changed a member's role"),
    "membership.hand_over": gettext_lazy("handed the shop over"),
    "membership.invite": gettext_lazy("invited somebody"),
    "membership.join": gettext_lazy("joined the shop"),
    "membership.remove": gettext_lazy("took a member out of the shop"),
    "membership.withdraw_invitation": gettext_lazy("withdrew an invitation"),
    "merchant.close": gettext_lazy("had the shop closed"),
    "merchant.create_demo": gettext_lazy("created the demo shop"),
    "merchant.export_dataset": gettext_lazy("exported a data set"),
    "merchant.keep": gettext_lazy("took back that the shop is closed"),
    "merchant.open": gettext_lazy("opened the shop"),
    "merchant.remove": gettext_lazy("deleted what a closed shop had"),
    "merchant.training": gettext_lazy("said whether photos may train models"),
    "model_version.map": gettext_lazy("changed what a model's classes mean"),
    "model_version.register": gettext_lazy("registered a model"),
    "operation.cancel": gettext_lazy("cancelled an operation"),
    "operation.pause": gettext_lazy("paused an operation"),
    "operation.resume": gettext_lazy("resumed an operation"),
    "operation.start": gettext_lazy("started an operation"),
    "product.accept": gettext_lazy("accepted what was proposed"),
    "product.archive": gettext_lazy("archived the product"),
    "product.choose_none": gettext_lazy("said that none of the garments found is the product"),
    "product.choose_top_category": gettext_lazy("chose another garment as the product"),
    "product.classify_again": gettext_lazy("asked for another classification"),
    "product.classify_cancel": gettext_lazy("cancelled the classification"),
    "product.create": gettext_lazy("created the product"),
    "product.decide": gettext_lazy("decided a value"),
    "product.delete": gettext_lazy("deleted the product for good"),
    "product.discard": gettext_lazy("discarded the product without photos"),
    "product.not_applicable": gettext_lazy("decided that an attribute does not apply"),
    "product.publish": gettext_lazy("published"),
    "product.restore": gettext_lazy("restored the product from the archive"),
    "product.review": gettext_lazy("reviewed the values"),
    "product.undo": gettext_lazy("undid a change"),
    "product.unpublish": gettext_lazy("unpublished"),
    "product.update": gettext_lazy("changed name or SKU"),
    "product.withdraw": gettext_lazy("took back a decision"),
    "user.email": gettext_lazy("changed their own e-mail"),
    "user.impersonate": gettext_lazy("began to work as another person"),
    "user.impersonate_end": gettext_lazy("worked as themselves again"),
    "acceptancethreshold.choose": gettext_lazy("chose what is auto-accepted"),
    "user.erase": gettext_lazy("erased a person"),
    "user.export": gettext_lazy("took a copy of what is stored about them"),
    "user.login": gettext_lazy("logged in"),
    "user.login_blocked": gettext_lazy("log-in refused: too many attempts"),
    "user.login_failed": gettext_lazy("log-in failed: wrong e-mail or password"),
    "user.password": gettext_lazy("changed their own password"),
    "user.profile": gettext_lazy("changed their own name or language"),
    "user.second_step_add": gettext_lazy("added a second step for logging in"),
    "user.second_step_failed": gettext_lazy("log-in failed: wrong code"),
    "user.second_step_remove": gettext_lazy("removed a second step for logging in"),
    "user.second_step_reset": gettext_lazy("made new recovery codes"),
    "user.session_end": gettext_lazy("logged out other devices"),
}
# What admin pages without a service write: `<model>.add` and so on.
_WRITTEN = {
    "add": gettext_lazy("added: %(thing)s"),
    "change": gettext_lazy("changed: %(thing)s"),
    "delete": gettext_lazy("deleted: %(thing)s"),
}
# Of which models.
WRITTEN_MODELS = ("attribute", "attributevalue", "group", "merchant", "user")
# Kinds of long operations.
_OPERATIONS = {
    "reclassify": gettext_lazy("Classify everything again"),
    "shop_data": gettext_lazy("Export all data of the shop"),
    "shadow": gettext_lazy("Try unseen"),
    "calibrate": gettext_lazy("Calibrate thresholds"),
    "quality": gettext_lazy("Count the figures of quality"),
    "register_model": gettext_lazy("Upload weights"),
    "import_check": gettext_lazy("Check an import"),
    "import_products": gettext_lazy("Import products"),
    "retry_failed": gettext_lazy("Try failed photos again"),
    "bulk_accept": gettext_lazy("Accept proposals"),
    "bulk_archive": gettext_lazy("Archive products"),
    "bulk_classify": gettext_lazy("Classify products again"),
    "bulk_publish": gettext_lazy("Publish products"),
    "bulk_restore": gettext_lazy("Restore products"),
    "bulk_set": gettext_lazy("Set a value"),
    "bulk_undo": gettext_lazy("Undo"),
    "bulk_unpublish": gettext_lazy("Unpublish products"),
    "export_products": gettext_lazy("Export products"),
}


def in_name_of(user: object, impersonator: object | None) -> str:
    """Return whom pages name as the author: the person, and who worked as them if somebody did."""
    if impersonator is None:
        return str(user)
    return gettext("%(staff)s as %(person)s") % {"staff": impersonator, "person": user}


def subject_label(subject_type: str) -> str:
    """Return what the subject of an event is called; its code where no model has that name any more."""
    name = subject_type.replace("_", "")
    names = (model._meta.verbose_name for model in apps.get_models() if model._meta.model_name == name)
    return str(next(names, subject_type))


def written_actions() -> tuple[str, ...]:
    """Return the codes of what admin pages without a service write."""
    return tuple(f"{model}.{what}" for model in WRITTEN_MODELS for what in _WRITTEN)


def action_label(action: str) -> str:
    """Return what was done, in words; the code itself where it has none any more."""
    if action in ACTIONS:
        return str(ACTIONS[action])
    subject, _dot, what = action.partition(".")
    return str(_WRITTEN[what]) % {"thing": subject_label(subject)} if what in _WRITTEN else action


def operation_label(kind: str) -> str:
    """Return what a long operation does, in words; its code where it has none."""
    return str(_OPERATIONS.get(kind, kind))


def operation_kinds() -> list[tuple[str, str]]:
    """Return the kinds of long operations with their words, in the order of these."""
    return sorted(((kind, str(label)) for kind, label in _OPERATIONS.items()), key=lambda kind: kind[1].casefold())
