from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("Accounts")

    def ready(self) -> None:
        """Write down when members of staff begin and end to work as somebody else."""
        from hijack.signals import hijack_ended, hijack_started

        from accounts import impersonation

        hijack_started.connect(impersonation.record_begin, dispatch_uid="accounts.impersonation.begin")
        hijack_ended.connect(impersonation.record_end, dispatch_uid="accounts.impersonation.end")
