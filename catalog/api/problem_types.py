"""The codes of errors that products, images and values answer with."""

from django.utils.translation import gettext_lazy as _

from core.api.problem_types import ProblemType, register

register(
    ProblemType("name_too_long", 400, _("A name has at most 200 characters."), "/name"),
    ProblemType("name_control_characters", 400, _("The name holds characters that cannot be seen."), "/name"),
    ProblemType("name_looks_empty", 400, _("The name has no character that can be seen."), "/name"),
    ProblemType("sku_too_long", 400, _("A SKU has at most 64 characters."), "/sku"),
    ProblemType("sku_control_characters", 400, _("The SKU holds characters that cannot be seen."), "/sku"),
    ProblemType("sku_looks_empty", 400, _("The SKU has no character that can be seen."), "/sku"),
    ProblemType("unknown_attribute", 400, _("There is no attribute of that code; /attributes lists them.")),
    ProblemType("unknown_value", 400, _("The attribute has no value of that code; /attributes lists them."), "/value"),
    ProblemType("not_a_leaf", 400, _("The value is a group of categories. Choose one of those in it."), "/value"),
    ProblemType("does_not_apply", 400, _("Garments of the product's top-level category have no such attribute.")),
    ProblemType("category_needed", 400, _("Every product has a category: it cannot be not applicable.")),
    ProblemType("one_answer", 400, _("Send either a value or `not_applicable`: true.")),
    ProblemType(
        "unknown_top_category", 400, _("There is no top-level category of that code; /attributes."), "/top_category"
    ),
    ProblemType("no_images", 400, _("The form has no photo in its field `images`."), "/images"),
    ProblemType("too_many_images", 400, _("The product has as many photos as it may have.")),
    ProblemType("not_an_image", 400, _("The file is not a photo, whatever its name says.")),
    ProblemType("unsupported_format", 400, _("Photos of this format are not taken. Save it as JPEG.")),
    ProblemType("damaged", 400, _("The photo is damaged, or was cut off on the way.")),
    ProblemType("too_many_pixels", 400, _("The photo has more pixels than the site decodes.")),
    ProblemType("too_many_pixels_for_format", 400, _("The photo has more pixels than the site decodes of its format.")),
    ProblemType("too_long", 400, _("The photo is too long or too narrow.")),
    ProblemType("duplicate", 400, _("The product has the same photo already.")),
    ProblemType("nothing_stored", 400, _("None of the files was stored, for several reasons: `uploads` has them.")),
    ProblemType("no_merchant", 403, _("The person belongs to no shop.")),
    ProblemType("sku_taken", 409, _("Another product of the shop has this SKU, in whatever spelling."), "/sku"),
    ProblemType("category_open", 409, _("The product has no category yet. Decide one, then publish.")),
    ProblemType(
        "still_classifying",
        409,
        _(
            "Photos are still being looked at. Wait until the status is no longer `classifying`, or send "
            "`while_classifying`: true."
        ),
    ),
    ProblemType("other_images", 409, _("The ids are not those of all the product's photos, each once."), "/images"),
    ProblemType("bad_move", 409, _("The product's status does not lead to the one that was asked for.")),
    ProblemType("archived", 409, _("The product is archived. Restore it before anything of it changes.")),
    ProblemType("not_archived", 409, _("Only what is archived can be deleted for good or restored.")),
    ProblemType("published", 409, _("The product is published, so its values stay decided. Unpublish it first.")),
    ProblemType("stale", 409, _("It was changed in the meantime. Read again.")),
    ProblemType("upload_expired", 409, _("The upload came to a stop for an hour. Send it again.")),
)
