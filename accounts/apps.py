from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in
from django.db.models.signals import post_save
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("Accounts")

    def ready(self) -> None:
        """Connect the signal handlers.

        A stored person has a confirmed address, a device that logs in is remembered, and the audit trail keeps how
        people get in, and when members of staff begin and end to work as somebody else.
        """
        from hijack.signals import hijack_ended, hijack_started

        from accounts import impersonation, security_events
        from accounts.devices import logged_in
        from accounts.models import User
        from accounts.signals import user_saved

        hijack_started.connect(impersonation.record_begin, dispatch_uid="accounts.impersonation.begin")
        hijack_ended.connect(impersonation.record_end, dispatch_uid="accounts.impersonation.end")
        post_save.connect(user_saved, sender=User, dispatch_uid="accounts.user_saved")
        user_logged_in.connect(logged_in, dispatch_uid="accounts.logged_in")
        security_events.connect()
