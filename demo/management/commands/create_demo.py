"""`manage.py create_demo`: a merchant to look around in."""

from typing import Any

from core.commands import EnglishCommand
from demo.catalogue import PRODUCTS
from demo.shop import Account, DemoShop, create_demo_shop, fill


def _line(account: Account) -> str:
    # Both languages at once: nobody has chosen one before the first log-in.
    return f"{account.email}   비밀번호 password: {account.password or '(그대로 unchanged)'}"


class Command(EnglishCommand):
    """Create the demo shop once."""

    help = "Create a demo shop with an owner, an administrator, and products in every state."

    def handle(self, *args: Any, **options: Any) -> None:
        """Create it and print the passwords, which are kept nowhere else; the second time change nothing."""
        merchant = create_demo_shop()
        if merchant is None:
            self.stdout.write(
                "데모 상점이 이미 있습니다. 바꾼 것이 없습니다. / The demo shop exists; nothing was changed."
            )
            return
        self.stdout.write("데모 상점의 사진을 분류합니다. / The demo shop's photos are being classified.")
        self.stdout.flush()
        try:
            fill(merchant)
            self.stdout.write(
                f"{merchant.merchant.name}: 상품 {len(PRODUCTS)}개를 만들었습니다. "
                f"/ The demo shop is ready, with {len(PRODUCTS)} products."
            )
        finally:  # whatever happens: the accounts are there, and the passwords nowhere else
            self._print(merchant)

    def _print(self, merchant: DemoShop) -> None:
        rule = "─" * 78
        self.stdout.write(
            "\n".join(
                [
                    f"┌{rule}",
                    f"│   상점 shop                 {_line(merchant.owner)}",
                    f"│   관리자 admin (/admin/) {_line(merchant.admin)}",
                    "│",
                    "│ 비밀번호는 지금 한 번만 보입니다. 사진은 공개 라이선스(CC0, MIT) 사진입니다.",
                    "│ The passwords are shown only now. The photos are free ones (CC0 and MIT).",
                    "│ 잊었을 때 if forgotten: manage.py changepassword " + merchant.owner.email,
                    f"└{rule}",
                ]
            )
        )
