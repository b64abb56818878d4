"""Telling a database or a storage that is away from one that was asked something wrong."""

import errno

from django.db import Error, InterfaceError

RETRY_AFTER = 5  # s, what callers are told to wait

_MYSQL = frozenset(
    {
        1040,  # too many connections
        1042,  # the client's host cannot be looked up
        1044,  # access denied; with 1045 and 1049 something that an operator can put right meanwhile
        1045,
        1049,  # no such database
        1053,  # shutting down
        1129,  # the host is blocked
        1130,  # the host is not allowed
        1152,  # the connection broke off
        1158,  # network errors, to 1161
        1159,
        1160,
        1161,
        1203,  # too many connections of this user
        1205,  # waited too long for a lock
        1213,  # deadlock
        1226,  # the user's allowance is used up
        1290,  # read-only
        1317,  # interrupted
        1836,  # read-only
        1927,  # the connection was killed
        1969,  # took too long
        2002,  # nothing listens
        2003,
        2005,  # the server's host is unknown
        2006,  # gone away
        2012,
        2013,  # lost during the query, or silent for too long
        2014,  # what a connection that was lost in the middle says afterwards
        2026,  # TLS
        2055,  # lost
        3024,  # took too long
        4031,  # closed because nothing was asked
    }
)
_SQLITE = (
    "is locked",
    "unable to open database file",
    "disk i/o error",
    "disk is full",
    "readonly database",
)

# What a disk says that is full, broken or not to be written to now; the disk may be another machine's.
_DISK = frozenset({errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.ESTALE})
_STORAGE_LIBRARIES = frozenset({"boto3", "botocore", "s3transfer", "urllib3"})


def is_of_storage_library(error: BaseException) -> bool:
    """Whether the error is one of S3's client, or of what that uses."""
    return type(error).__module__.partition(".")[0] in _STORAGE_LIBRARIES


def storage_is_away(error: BaseException | None) -> bool:
    """Whether the error says that files cannot be written or read now, so that trying again later helps."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in _DISK
    return error is not None and is_of_storage_library(error)


def database_is_away(error: BaseException | None) -> bool:
    """Whether the error says that the database cannot be reached or used now, so that asking again later helps."""
    if isinstance(error, InterfaceError):
        return True
    if not isinstance(error, Error) or not error.args:
        return False
    if isinstance(error.args[0], int):
        return error.args[0] in _MYSQL
    said = str(error.args[0]).lower()
    return any(sign in said for sign in _SQLITE)
