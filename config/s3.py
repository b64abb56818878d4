"""The options behind `?` of `MEDIA_STORAGE=s3://bucket/prefix?…`: typed, and refused by name where they are wrong.

django-storages takes whatever it is given: `verify=false` would be a text, and true. An option is named here as it is
there (but for the three of botocore); what has no place in a URL, such as dictionaries, is not offered.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

TRUTHS = {"true": True, "false": False}

# A web thread waits for a storage that hangs no longer than this, twice. Reading counts from each piece to the next.
CONNECT_SECONDS, READ_SECONDS, ATTEMPTS = 3.0, 10.0, 2


def _boolean(value: str) -> bool:
    if value.lower() not in TRUTHS:
        raise ValueError("true or false")
    return TRUTHS[value.lower()]


def _integer(value: str) -> int:
    if not value.isdecimal():
        raise ValueError("a whole number")
    return int(value)


def _attempts(value: str) -> int:
    if not value.isdecimal() or int(value) < 1:
        raise ValueError("a whole number from 1 on")
    return int(value)


def _seconds(value: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        seconds = 0
    if not 0 < seconds <= 600:
        raise ValueError("seconds, more than 0 and at most 600")
    return seconds


def _text(value: str) -> str:
    if not value:
        raise ValueError("given")
    return value


def _one_of(*values: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value not in values:
            raise ValueError(" or ".join(values))
        return value

    return parse


def _verify(value: str) -> bool | str:
    """Whether, or by which file of certificates."""
    if value.lower() in TRUTHS:
        return TRUTHS[value.lower()]
    if not Path(value).is_file():
        raise ValueError("true, false or a file of certificates")
    return value


def _no_overwriting(value: str) -> bool:
    if _boolean(value):
        raise ValueError("false: names are random, so a file that is there already is another one")
    return False


OPTIONS: dict[str, Callable[[str], Any]] = {
    "access_key": _text,
    "addressing_style": _one_of("auto", "path", "virtual"),
    "cloudfront_key": _text,
    "cloudfront_key_id": _text,
    "connect_timeout": _seconds,
    "custom_domain": _text,
    "default_acl": _text,
    "endpoint_url": _text,
    "file_overwrite": _no_overwriting,
    "gzip": _boolean,
    "max_attempts": _attempts,
    "max_memory_size": _integer,
    "querystring_auth": _boolean,
    "querystring_expire": _integer,
    "read_timeout": _seconds,
    "region_name": _text,
    "secret_key": _text,
    "security_token": _text,
    "session_profile": _text,
    "signature_version": _text,
    "url_protocol": _one_of("https:", "http:"),
    "use_ssl": _boolean,
    "verify": _verify,
}
_OF_CLIENT = ("addressing_style", "connect_timeout", "max_attempts", "read_timeout", "signature_version")


def options(query: str) -> dict[str, Any]:
    """Return the options of `S3Storage` that a URL's query stands for.

    Raises:
        ValueError: an option that does not exist or has a wrong value; the sentence goes on from the setting's name.
    """
    given: dict[str, Any] = {"default_acl": None, "file_overwrite": False}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in OPTIONS:
            raise ValueError(f"has no option {name!r}; there are {', '.join(OPTIONS)}.")
        try:
            given[name] = OPTIONS[name](value)
        except ValueError as error:
            raise ValueError(f"has an option {name} that must be {error}.") from None
    of_client = {name: given.pop(name) for name in _OF_CLIENT if name in given}
    return given | _client(**of_client)


def _client(
    *,
    addressing_style: str | None = None,
    connect_timeout: float = CONNECT_SECONDS,
    max_attempts: int = ATTEMPTS,
    read_timeout: float = READ_SECONDS,
    signature_version: str | None = None,
) -> dict[str, Any]:
    # Only a site that uses S3 loads its libraries.
    from boto3.s3.transfer import TransferConfig
    from botocore.config import Config

    config = Config(
        connect_timeout=connect_timeout,
        read_timeout=read_timeout,
        retries={"mode": "standard", "total_max_attempts": max_attempts},
        s3={"addressing_style": addressing_style},
        signature_version=signature_version,
    )
    # A download that breaks off in the middle is begun again by boto3, not by the client.
    return {"client_config": config, "transfer_config": TransferConfig(num_download_attempts=max_attempts)}
