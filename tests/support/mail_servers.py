"""A mail server of the test's own, on this machine."""

from __future__ import annotations

import re
import socket
import threading
from contextlib import contextmanager
from email import message_from_bytes, policy

from aiosmtpd.controller import Controller

PATIENCE_SECONDS = 60


class Mailbox:
    """The mails that came in, in their order."""

    def __init__(self):
        self.mails = []
        self._arrived = threading.Condition()

    async def handle_DATA(self, server, session, envelope):
        with self._arrived:
            self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
            self._arrived.notify_all()
        return "250 OK"

    def link_to(self, address, part):
        """Wait for a mail to the address with a link that has this part, and return the link."""

        def found():
            for mail in reversed(self.mails):
                for link in re.findall(r"https?://\S+", mail.get_content()) if mail["To"] == address else ():
                    if part in link:
                        return link
            return None

        with self._arrived:
            return self._arrived.wait_for(found, PATIENCE_SECONDS)


@contextmanager
def mail_server(settings):
    """Have the site send its mails to a server, whose mailbox is yielded."""
    mailbox = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
        yield mailbox
    finally:
        controller.stop()
