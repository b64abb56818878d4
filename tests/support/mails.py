"""Links in the mails that were sent."""

import re


def link_in(mail):
    """Return the path of the only link of a mail of Django's test outbox."""
    (link,) = re.findall(r"https?://[^/\s]+(/\S*)", mail.body)
    return link
