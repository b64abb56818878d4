"""The client for programs with an event loop. What its methods do is told at those of `otjang.Client`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from types import EllipsisType, TracebackType
from typing import Any, Self, TypeVar

import httpx

from otjang import _calls, _settings
from otjang._calls import Call, File
from otjang._retries import Attempts, Retries, pauses
from otjang.errors import error_of
from otjang.models import Found, Image, Line, Product, Task, Upload, Value

T = TypeVar("T")


class AsyncClient:
    """`otjang.Client` for asyncio: it takes the same arguments, and its methods are awaited."""

    def __init__(
        self,
        url: str | None = None,
        key: str | None = None,
        *,
        language: str = "en",
        retries: Retries | None = None,
        timeout: float = 60.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._retries = retries if retries is not None else Retries()
        self._http = httpx.AsyncClient(
            base_url=_settings.address(url),
            headers=_settings.headers(key, language),
            timeout=timeout,
            transport=transport,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def send(self, call: Call[T]) -> T:
        """Send a request until it is answered for good.

        Raises:
            ApiError: the site refused it.
            Unreachable: no answer came.
        """
        attempts = Attempts(call, self._retries)
        headers = call.all_headers()
        while True:
            try:
                with call.request(self._http, headers) as request:
                    response = await self._http.send(request)
            except httpx.TransportError as error:
                pause = attempts.no_answer(error)
            else:
                again = attempts.answered(response)
                if again is None:
                    return call.parse(response)
                pause = again
            await asyncio.sleep(pause)

    async def create_product(
        self, name: str = "", *, sku: str | None = None, images: Sequence[File] = (), idempotency_key: str | None = None
    ) -> Product:
        """Create a product, with its images if there are some; `uploads` says what became of each."""
        return await self.send(_calls.create_product(name, sku, images, idempotency_key))

    async def product(self, product_id: str) -> Product:
        """Read a product with its values and images."""
        return await self.send(_calls.product(product_id))

    async def products(self, **filters: Any) -> AsyncIterator[Product]:
        """Go through the products, page by page: `status`, `category`, `q`, `page_size` and so on."""
        async for body in self.entries("/products", **filters):
            yield Product.of(body)

    async def entries(self, path: str, **filters: Any) -> AsyncIterator[Mapping[str, Any]]:
        """Go through any list of the API, such as `/webhooks`."""
        call: Call[Mapping[str, Any]] | None = _calls.page(path, filters)
        while call is not None:
            shown = await self.send(call)
            for body in shown["results"]:
                yield body
            call = _calls.next_page(shown, call)

    async def update_product(
        self,
        product_id: str,
        *,
        name: str | EllipsisType = ...,
        sku: str | EllipsisType | None = ...,
        top_category: str | EllipsisType | None = ...,
        if_match: str | None = None,
    ) -> Product:
        """Change what is named. With `if_match=product.etag` only if nobody else changed it meanwhile.

        Raises:
            PreconditionFailed: somebody did.
        """
        fields = {"name": name, "sku": sku, "top_category": top_category}
        return await self.send(_calls.update_product(product_id, fields, if_match))

    async def publish(self, product_id: str, *, while_classifying: bool = False) -> Product:
        """Publish a product: every value that it shows counts as decided from then on."""
        return await self.send(_calls.move_product(product_id, "publish", {"while_classifying": while_classifying}))

    async def unpublish(self, product_id: str) -> Product:
        """Take a product out of the public."""
        return await self.send(_calls.move_product(product_id, "unpublish"))

    async def archive(self, product_id: str) -> Product:
        """Archive a product."""
        return await self.send(_calls.move_product(product_id, "archive"))

    async def restore(self, product_id: str) -> Product:
        """Bring an archived product back."""
        return await self.send(_calls.move_product(product_id, "restore"))

    async def delete_product(self, product_id: str) -> None:
        """Delete a product for good."""
        await self.send(_calls.delete_product(product_id))

    async def upload(self, product_id: str, *images: File, idempotency_key: str | None = None) -> tuple[Upload, ...]:
        """Add images to a product. Returns what became of each, in their order."""
        return await self.send(_calls.upload(product_id, images, idempotency_key))

    async def image(self, product_id: str, image_id: str) -> Image:
        """Read how far an image is classified."""
        return await self.send(_calls.image(product_id, image_id))

    async def archive_image(self, product_id: str, image_id: str) -> None:
        """Take an image away from its product."""
        await self.send(_calls.archive_image(product_id, image_id))

    async def wait(self, product_id: str, *, timeout: float = 120.0) -> Product:
        """Return the product when no image of it is looked at any more.

        Raises:
            WaitedTooLong: that took longer.
        """
        for pause in pauses("The classification", timeout):
            product = await self.product(product_id)
            if not product.is_classifying:
                return product
            await asyncio.sleep(pause)
        raise AssertionError  # pauses() ends by its exception

    async def classify_again(self, product_id: str) -> Any:
        """Let all images of a product be looked at once more. Decisions stay."""
        return await self.send(_calls.classify_product(product_id))

    async def decide(
        self, product_id: str, attribute: str, value: str, *, reason: str | None = None, if_match: str | None = None
    ) -> Value:
        """Say what a product's value is, whatever models say."""
        body = {"value": value} | ({"reason": reason} if reason else {})
        return await self.send(_calls.decide(product_id, attribute, body, if_match))

    async def decide_not_applicable(
        self, product_id: str, attribute: str, *, reason: str | None = None, if_match: str | None = None
    ) -> Value:
        """Say that a product has no such attribute."""
        body: dict[str, Any] = {"not_applicable": True} | ({"reason": reason} if reason else {})
        return await self.send(_calls.decide(product_id, attribute, body, if_match))

    async def take_back(self, product_id: str, attribute: str) -> Value:
        """Take a decision back. Returns what holds then."""
        return await self.send(_calls.take_back(product_id, attribute))

    async def classify(
        self, *images: File, wait: float = 10.0, timeout: float = 120.0, idempotency_key: str | None = None
    ) -> list[Found]:
        """Say what images show, without storing them. The results have the order of the files.

        Args:
            images: up to 32.
            wait: seconds that the site may keep each request open.
            timeout: seconds after which to give up.

        Raises:
            ClassificationFailed: the site could not look at them.
            WaitedTooLong: it took longer.
        """
        body = await self.send(_calls.classify(images, wait, idempotency_key))
        for pause in pauses("The classification", timeout):
            if (found := _calls.found_in(body)) is not None:
                return found
            await asyncio.sleep(0 if wait else pause)
            body = await self.send(_calls.classified(str(body["id"]), wait))
        raise AssertionError  # pauses() ends by its exception

    async def bulk(
        self, products: Sequence[Mapping[str, Any]], *, atomic: bool = False, idempotency_key: str | None = None
    ) -> list[Line]:
        """Create or change up to 1,000 products by their SKUs; with `atomic` all of them or none.

        Args:
            products: each with its `sku`, and what to change: `name`, `attributes` (codes of values by the attribute's
                code, None to take a decision back), `not_applicable` (codes of attributes).
            atomic: whether one refused line refuses all.
            idempotency_key: instead of a random one.
        """
        return await self.send(_calls.bulk(products, atomic, idempotency_key))

    async def export(self, **filters: Any) -> AsyncIterator[Product]:
        """Go through all products in one answer, which is not held in memory."""
        async with self._http.stream("GET", f"{_calls.ROOT}/products/export", params=filters) as response:
            if not response.is_success:
                await response.aread()
                raise error_of(response)
            async for line in response.aiter_lines():
                if line:
                    yield Product.of(json.loads(line))

    async def request(self, method: str, path: str, body: Any = None, **params: Any) -> Any:
        """Send any other request, such as `POST /webhooks`; returns the JSON of its answer."""
        return await self.send(Call(method, path, _calls.json_of, params=params, body=body))

    async def attributes(self) -> Any:
        """Read the attributes with all of their values."""
        return await self.send(_calls.read("/attributes"))

    async def usage(self) -> Any:
        """Read how much of the quotas is used."""
        return await self.send(_calls.read("/usage"))

    async def operation(self, operation_id: str) -> Task:
        """Read how far an operation is."""
        return await self.send(_calls.task("/operations", operation_id))

    async def wait_for_operation(self, operation_id: str, *, timeout: float = 3600.0) -> Task:
        """Return the operation when it has ended.

        Raises:
            WaitedTooLong: that took longer.
        """
        for pause in pauses("The operation", timeout):
            task = await self.operation(operation_id)
            if task.has_ended:
                return task
            await asyncio.sleep(pause)
        raise AssertionError  # pauses() ends by its exception
