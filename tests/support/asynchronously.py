"""Running coroutines in tests."""

import asyncio
from concurrent.futures import ThreadPoolExecutor


def run(work):
    """Run a coroutine to its end in a thread of its own: in this one a browser's tests may have left a running loop."""
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(asyncio.run, work).result()
