"""Forms with files, read so that no part of them is lost without a word.

Django's own reader drops a file whose name it cannot make sense of (CP949, Shift-JIS or Latin-1 bytes, `..`, nothing),
and takes a form whose boundary never comes for an empty one. Here every file is handed over, and a form that cannot be
read whole is refused.
"""

from __future__ import annotations

import base64
import binascii
import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MethodType
from typing import IO, Any
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.core.files.uploadhandler import StopFutureHandlers
from django.http import HttpRequest, QueryDict
from django.http.multipartparser import MultiPartParser, MultiPartParserError
from django.utils.datastructures import ImmutableList, MultiValueDict
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import APIException
from rest_framework.parsers import DataAndFiles
from rest_framework.parsers import MultiPartParser as ApiMultiPartParser
from rest_framework.status import HTTP_400_BAD_REQUEST

NAMELESS = "image"  # what a file is called that came without a name
_MAX_HEADER_BYTES = 8192  # of one part: a name of 255 Korean letters takes 2.3 KB in percent encoding
_ENCODINGS = ("utf-8", "cp949", "shift_jis")  # of names and texts, as browsers, Korean and Japanese programs write them
_FILE_TYPES = ("image/", "video/", "application/octet-stream")  # a file also where the part forgets to name it
_PARAMETER = re.compile(r';\s*([^=;\s]+)\s*=\s*(?:"((?:\\.|[^"\\])*)"|([^;]*))')


class MalformedForm(APIException):
    """A form that cannot be read to its end, in the API's words."""

    status_code = HTTP_400_BAD_REQUEST
    default_code = "malformed_form"
    default_detail = _("This form cannot be read: its boundary is wrong or missing, or it was cut off. Send it again.")


def lenient_text(raw: bytes) -> str:
    """Decode what a client wrote in whatever encoding it has; Latin-1 at last, which takes everything."""
    for encoding in _ENCODINGS:
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1")


def _parameters(header: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, quoted, bare in _PARAMETER.findall(header):
        value = quoted.replace("\\\\", "\\").replace('\\"', '"') if quoted else bare.strip().strip('"')
        found.setdefault(name.lower(), value)
    return found


def _extended(value: str) -> str:
    """Decode the value of an RFC 5987 parameter: `UTF-8''%EC%98%B7`."""
    charset, _quote, rest = value.partition("'")
    raw = unquote_to_bytes(rest.partition("'")[2])
    try:
        return raw.decode(charset)
    except (LookupError, UnicodeDecodeError):
        return lenient_text(raw)


@dataclass(frozen=True, slots=True)
class _Part:
    """What the headers of one part say. `file_name` is None for a field."""

    field: str
    file_name: str | None
    content_type: str
    type_parameters: dict[str, str]
    is_base64: bool


def _part_of(block: bytes) -> _Part:
    """Read the lines between a boundary and its part's content.

    Raises:
        MultiPartParserError: they do not name a field, or the boundary's own line goes on.
    """
    first, *lines = re.sub(rb"\r\n[ \t]+", b" ", block).split(b"\r\n")
    headers = {}
    for line in lines:
        name, _colon, value = lenient_text(line).partition(":")
        headers[name.strip().lower()] = value.strip()
    disposition = _parameters(headers.get("content-disposition", ""))
    if first.strip() or "name" not in disposition:
        raise MultiPartParserError("A part of the form has no name.")
    kind, _semicolon, _rest = headers.get("content-type", "").partition(";")
    file_name = None
    if any(name.startswith("filename") for name in disposition) or kind.lower().startswith(_FILE_TYPES):
        plain = disposition.get("filename", "")
        file_name = _extended(disposition["filename*"]) if "filename*" in disposition else plain
    return _Part(
        field=disposition["name"].strip(),
        file_name=file_name,
        content_type=kind.strip().lower(),
        type_parameters=_parameters(headers.get("content-type", "")),
        is_base64=headers.get("content-transfer-encoding", "").lower() == "base64",
    )


class _Source:
    """The body, with a view of what comes next."""

    def __init__(self, stream: IO[bytes], chunk_size: int) -> None:
        self._stream = stream
        self._chunk_size = chunk_size
        self._ahead = b"\r\n"  # which comes before every boundary but the first

    def _read(self) -> None:
        data = self._stream.read(self._chunk_size)
        if not data:
            raise MultiPartParserError("The form ends in the middle, or its boundary is another one.")
        self._ahead += data

    def until(self, mark: bytes) -> Iterator[bytes]:
        """Yield what comes before the mark, in pieces, and step over it."""
        kept = len(mark) - 1  # the mark may have begun
        while (place := self._ahead.find(mark)) < 0:
            if len(self._ahead) > kept:
                yield self._ahead[:-kept]
                self._ahead = self._ahead[-kept:]
            self._read()
        if place:
            yield self._ahead[:place]
        self._ahead = self._ahead[place + len(mark) :]

    def next_headers(self) -> bytes | None:
        """Return what comes before a part's content; None after the last part."""
        while len(self._ahead) < 2:
            self._read()
        if self._ahead.startswith(b"--"):
            return None
        block = b""
        for piece in self.until(b"\r\n\r\n"):
            block += piece
            if len(block) > _MAX_HEADER_BYTES:
                raise MultiPartParserError("A part of the form has endless headers.")
        return block


def _decoded(content: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    try:
        for chunk in content:
            rest += b"".join(chunk.split())
            whole = len(rest) // 4 * 4
            yield base64.b64decode(rest[:whole], validate=True)
            rest = rest[whole:]
        yield base64.b64decode(rest, validate=True)
    except binascii.Error as error:
        raise MultiPartParserError("A part of the form is not base64.") from error


class WholeFormParser(MultiPartParser):
    """Reads every part of a form or none. Names and texts may have any encoding."""

    # Django's own, which its stubs do not know.
    _boundary: Any
    _chunk_size: int
    _content_length: int
    _encoding: str
    _files: MultiValueDict[str, Any]
    _input_data: IO[bytes]
    _meta: dict[str, Any]
    _upload_handlers: list[Any]

    def sanitize_file_name(self, file_name: str) -> str:
        """Return the name without folders and invisible characters, never an empty one."""
        return super().sanitize_file_name(file_name) or NAMELESS

    def _parse(self) -> tuple[QueryDict, MultiValueDict[str, Any]]:
        for handler in self._upload_handlers:
            handler.handle_raw_input(self._input_data, self._meta, self._content_length, self._boundary, self._encoding)
        self._post = QueryDict(mutable=True)
        self._files = MultiValueDict()
        self._field_bytes = self._fields = self._file_count = 0
        try:
            self._read_parts(_Source(self._input_data, self._chunk_size))
            while self._input_data.read(self._chunk_size):
                pass  # what comes after the form
        except BaseException:
            for handler in self._upload_handlers:
                handler.upload_interrupted()
            raise
        for handler in self._upload_handlers:
            handler.upload_complete()
        self._post._mutable = False
        return self._post, self._files

    def _read_parts(self, source: _Source) -> None:
        delimiter = b"\r\n--" + self._boundary
        for _preamble in source.until(delimiter):
            pass
        while (block := source.next_headers()) is not None:
            part = _part_of(block)
            content = source.until(delimiter)
            content = _decoded(content) if part.is_base64 else content
            if part.file_name is None:
                self._take_field(part, content)
            else:
                self._take_file(part, part.file_name, content)

    def _take_field(self, part: _Part, content: Iterator[bytes]) -> None:
        self._fields += 1
        if settings.DATA_UPLOAD_MAX_NUMBER_FIELDS is not None and self._fields > settings.DATA_UPLOAD_MAX_NUMBER_FIELDS:
            raise TooManyFieldsSent
        value = b""
        self._field_bytes += len(part.field) + 2  # as in a form without files, with its & and =
        for chunk in content:
            value += chunk
            self._field_bytes += len(chunk)
            limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
            if limit is not None and self._field_bytes > limit:
                raise RequestDataTooBig
        self._post.appendlist(part.field, lenient_text(value))

    def _take_file(self, part: _Part, name: str, content: Iterator[bytes]) -> None:
        first = next(content, None)
        if first is None and not name:
            return  # what browsers send for a file field in which nothing was chosen
        self._file_count += 1
        if (
            settings.DATA_UPLOAD_MAX_NUMBER_FILES is not None
            and self._file_count > settings.DATA_UPLOAD_MAX_NUMBER_FILES
        ):
            raise TooManyFilesSent
        for handler in self._upload_handlers:
            try:
                handler.new_file(
                    part.field,
                    self.sanitize_file_name(name),
                    part.content_type,
                    None,
                    part.type_parameters.get("charset"),
                    part.type_parameters,
                )
            except StopFutureHandlers:
                break
        counters = [0] * len(self._upload_handlers)
        for chunk in itertools.chain([first or b""], content):
            left: bytes | None = chunk
            for number, handler in enumerate(self._upload_handlers):
                if left is None:
                    break
                size = len(left)
                left = handler.receive_data_chunk(left, counters[number])
                counters[number] += size
        self.handle_file_complete(part.field, counters)


def read_forms_whole(request: HttpRequest) -> None:
    """Let Django read this request's form by `WholeFormParser`."""

    def parse_file_upload(
        self: HttpRequest, meta: Mapping[str, Any], post_data: Any
    ) -> tuple[QueryDict, MultiValueDict[str, Any]]:
        self.upload_handlers = ImmutableList(
            self.upload_handlers, warning="You cannot alter upload handlers after the upload has been processed."
        )
        return WholeFormParser(meta, post_data, self.upload_handlers, self.encoding).parse()

    request.parse_file_upload = MethodType(parse_file_upload, request)  # type: ignore[method-assign]


class FormParser(ApiMultiPartParser):
    """The API's reader of forms with files."""

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> DataAndFiles[Any, MultiValueDict[str, Any]]:
        """Read the form.

        Raises:
            MalformedForm: not all of it can be read.
        """
        request = (parser_context or {})["request"]
        meta = request.META | {"CONTENT_TYPE": media_type}
        try:
            data, files = WholeFormParser(meta, stream, request.upload_handlers).parse()
        except MultiPartParserError as error:
            raise MalformedForm from error
        return DataAndFiles(data, files)
