"""What the arguments of addresses stand for: something of Alice's merchant for each, and of the administration."""

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.urls import reverse

from accounts.ready_groups import load_groups
from accounts.services import create_api_key, members
from catalog.models import SavedView
from catalog.services import drafts, mappings, products, shop_data, uploads
from catalog.services.exports import running
from catalog.services.exports.choice import ExportChoice
from classifier.models import Deployment
from core.ids import public_id
from tests.support.access_world import World
from tests.support.admin_world import full_world
from tests.support.drawn_images import upload
from tests.support.factories import MembershipFactory, ProductFactory, UserFactory, in_group
from tests.support.import_files import checked, csv_file, work


def personas(client_of, anonymous, *, outsider, viewer, editor, owner, superuser):
    """A browser for each persona of the table. Impersonated: support that works as the owner, who may do the most."""
    load_groups()
    support, impersonating = (in_group("Support", email=f"{name}@example.com") for name in ("support", "working"))
    browsers = {
        "anonymous": anonymous,
        "outsider": client_of(outsider),
        "viewer": client_of(viewer),
        "editor": client_of(editor),
        "owner": client_of(owner),
        "staff": client_of(UserFactory(email="staff@example.com", is_staff=True)),
        "support": client_of(support),
        "superuser": client_of(superuser),
        "impersonated": client_of(impersonating),
    }
    assert browsers["impersonated"].post(reverse("hijack:acquire"), {"user_pk": owner.pk}).status_code == 302
    return browsers


class AddressWorld:
    """Has a value for each argument of an address, made when it is asked for. Serve an engine before.

    All of it is of the actor's merchant: an owner in the portal.
    """

    def __init__(self, actor, product):
        self.actor, self.merchant, self.product = actor, actor.merchant, product
        self.things = World(actor, product)
        self.things.show_image()
        self._made = {}

    def values(self, address):
        """What the arguments of an address stand for."""
        return {name: self._value(address.route, name) for name in address.arguments}

    def _value(self, route, name):
        parts = route.split("/")
        if parts[0] == "admin":
            return self._in_admin(parts, name)
        if name == "action":
            return {"bulk": "undo", "export": "cancel", "import": "cancel"}.get(parts[1], "archive")
        if name == "public_id":
            name = self._numbered(parts)
        if name == "number":
            name = {"products": "draft", "settings": "webhook_id"}.get(parts[0], parts[2].removesuffix("s"))
        if name == "image_id" and parts[1] == "new":
            name = "draft_image"
        elif name == "image_id" and parts[-1] in {"put-back", "delete"}:
            name = "removed_image"
        if name not in self._made:
            make = getattr(self, f"_{name}", None)
            self._made[name] = make() if make else self.things[name]
        return self._made[name]

    def _numbered(self, parts):
        if parts[0] == "merchants":
            return "merchant_id"
        if parts[0] == "media":
            return "image_id"
        kinds = ("import", "views", "data", "bulk", "export")
        kind = next((one for one in parts[:2] if one in kinds), "public_id")
        return {"views": "saved_view", "data": "shop_data", "public_id": "public_id"}.get(kind, f"{kind}_operation")

    def _in_admin(self, parts, name):
        """A row of the page's model. Made is one of everything, once."""
        if "admin" not in self._made:
            self._made["admin"] = self._fill_admin()
        if name in {"app_label", "url"}:
            return {"app_label": "catalog", "url": "nowhere"}[name]
        if name == "content_type_id":
            return ContentType.objects.get_for_model(type(self.product)).pk
        if name == "public_id":
            return self.things["image_id"] if parts[2] == "productimage" else self.product.public_id
        if name == "variant":
            return "display"
        if parts[1] == "r":
            return self.product.pk
        if parts[2] == "user":
            return self.actor.user.pk
        if parts[2] in {"product", "merchant"}:
            return {"product": self.product, "merchant": self.merchant}[parts[2]].pk
        app = "auth" if parts[2] == "group" else parts[1]
        return apps.get_model(app, parts[2]).objects.order_by("pk").last().pk

    def _fill_admin(self):
        load_groups()
        mappings.load_shipped()
        Deployment.objects.all().delete()  # in favour of the one that comes
        full_world(ProductFactory(merchant=self.merchant), self.actor)
        self.things["delivery_id"]
        return True

    # Of the portal, by the names of arguments, or what they are called above.

    def _merchant_id(self):
        return self.merchant.public_id

    def _variant(self):
        return "display"

    def _code(self):
        return "category"

    def _delivery(self):
        return self.things["delivery_id"]

    def _removed_image(self):
        uploads.add_images(actor=self.actor, product=self.product, files=[upload("back.jpg", color="olive")])
        image = self.product.images.order_by("pk").last()
        products.archive_image(actor=self.actor, image=image)
        return image.public_id

    def _draft(self):
        number = public_id()
        drafts.add_images(actor=self.actor, merchant=self.merchant, number=number, files=[upload("draft.jpg")])
        return number

    def _draft_image(self):
        draft = drafts.find_draft(self.actor, self.merchant, self._value("products/new/<number>/images", "number"))
        return draft.images.get().public_id

    def _import_operation(self):
        return checked(self.actor, p_csv=csv_file(("AJ-7", "Coat", "", "", "", ""))).public_id

    def _bulk_operation(self):
        return self.things["ended_operation"]

    def _export_operation(self):
        operation = running.start(actor=self.actor, choice=ExportChoice())
        work()
        return operation.public_id

    def _shop_data(self):
        operation = shop_data.start(actor=self.actor)
        work()
        return operation.public_id

    def _saved_view(self):
        return SavedView.objects.create(user=self.actor.user, merchant=self.merchant, name="Mine").public_id

    def _invitation_of(self, email):
        return members.invite(actor=self.actor, merchant=self.merchant, email=email, role="viewer")

    def _secret(self):
        return self._invitation_of("invited@example.com")[1]

    def _invitation(self):
        return self._invitation_of("waiting@example.com")[0].pk

    def _member(self):
        return MembershipFactory(merchant=self.merchant).pk

    def _key_id(self):
        return create_api_key(actor=self.actor, merchant=self.merchant, name="Kiosk")[0].pk

    def _session_id(self):
        return UserSession.objects.filter(user=self.actor.user).first().pk

    def _uidb36(self):
        return user_pk_to_url_str(self.actor.user)

    def _key(self):
        return default_token_generator.make_token(self.actor.user)

    def _pk(self):
        """Of somebody who is none of the personas: allauth shows nobody the passkey of another person."""
        other = MembershipFactory(merchant=self.merchant).user
        return Authenticator.objects.create(user=other, type="webauthn", data={"name": "Theirs"}).pk
