"""Random public identifiers."""

import secrets

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u that people misread
PUBLIC_ID_LENGTH = 20


def public_id() -> str:
    """Return 20 random lower-case characters (100 bits); URLs and file names carry these, never row numbers."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(PUBLIC_ID_LENGTH))


def is_public_id(text: str) -> bool:
    """Say whether `text` could be one of them."""
    return len(text) == PUBLIC_ID_LENGTH and set(text) <= set(_ALPHABET)


class PublicIdConverter:
    """Public ids in addresses. MariaDB compares without case: what is not one must not get as far as the database."""

    regex = f"[{_ALPHABET}]{{{PUBLIC_ID_LENGTH}}}"

    def to_python(self, value: str) -> str:
        """Return the id."""
        return value

    def to_url(self, value: str) -> str:
        """Return the id."""
        return value
