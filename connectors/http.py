"""Asking a provider: bounded in time and size, redirects never followed.

A provider is an outsider: it may be down, hang, drip, or send a gigabyte.
"""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.request import getproxies, proxy_bypass

import httpx
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_token_request

from connectors.base import Params
from connectors.errors import LoginRefused, ProviderUnavailable

MAX_ANSWER_BYTES = 1024 * 1024
DEADLINE_SECONDS = 10.0


class Http:
    """HTTP to one provider; `tls` decides whom to trust (the system's CAs unless given)."""

    def __init__(
        self, *, tls: ssl.SSLContext | None = None, deadline_seconds: float = DEADLINE_SECONDS
    ) -> None:
        self._tls = tls or ssl.create_default_context()
        self._deadline_seconds = deadline_seconds

    async def json(self, url: str, *, bearer: str = "") -> dict[str, Any]:
        """GET a JSON object; ProviderUnavailable for everything else."""
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        answer = await self._exchange("GET", url, headers=headers)
        if answer.status_code != httpx.codes.OK:
            raise _unavailable(url, f"HTTP {answer.status_code}")
        return _object(url, answer.content)

    async def token(self, url: str, *, client: ClientAuth, form: Params) -> dict[str, Any]:
        """Redeem an authorization code; LoginRefused when the provider refuses (RFC 6749 5.2)."""
        body = prepare_token_request("authorization_code", **form)
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        url, headers, body = client.prepare("POST", url, headers, body)
        answer = await self._exchange("POST", url, headers=headers, body=body)
        if answer.status_code in (httpx.codes.BAD_REQUEST, httpx.codes.UNAUTHORIZED):
            raise LoginRefused(
                "The identity provider did not accept this login; start again.",
                detail=f"{url}: HTTP {answer.status_code} {answer.text!r:.300}",
            )
        if answer.status_code != httpx.codes.OK:
            raise _unavailable(url, f"HTTP {answer.status_code}")
        return _object(url, answer.content)

    async def _exchange(
        self, method: str, url: str, *, headers: Mapping[str, str], body: str | None = None
    ) -> httpx.Response:
        asked = {"Accept": "application/json", "Accept-Encoding": "identity", **headers}
        async with (
            self._guarded(url),
            httpx.AsyncClient(
                transport=self._transport(url),
                follow_redirects=False,
                timeout=self._deadline_seconds,
            ) as client,
        ):
            return await client.request(method, url, headers=asked, content=body)

    @asynccontextmanager
    async def _guarded(self, url: str) -> AsyncIterator[None]:
        try:
            # The whole exchange, for httpx's own timeouts start anew with each byte.
            async with asyncio.timeout(self._deadline_seconds):
                yield
        except TimeoutError as error:
            raise _unavailable(url, f"no answer in {self._deadline_seconds:g} s") from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise _unavailable(url, repr(error)) from error

    def _transport(self, url: str) -> httpx.AsyncBaseTransport:
        # httpx reads HTTPS_PROXY itself only when it may choose the transport.
        address = httpx.URL(url)
        bypass = proxy_bypass(address.host)
        proxy = None if bypass else getproxies().get(address.scheme)
        return _Bounded(httpx.AsyncHTTPTransport(verify=self._tls, proxy=proxy))


class _Bounded(httpx.AsyncBaseTransport):
    """Cuts an answer off at MAX_ANSWER_BYTES."""

    def __init__(self, inner: httpx.AsyncHTTPTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner.handle_async_request(request)
        # Asked for identity: a compressed answer could unfold to any size.
        if response.headers.get("content-encoding", "identity") != "identity":
            await response.aclose()
            raise httpx.DecodingError("a compressed answer, which was not asked for")
        assert isinstance(response.stream, httpx.AsyncByteStream)
        return httpx.Response(
            response.status_code,
            headers=response.headers,
            stream=_BoundedStream(response.stream),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        await self._inner.aclose()


class _BoundedStream(httpx.AsyncByteStream):
    def __init__(self, inner: httpx.AsyncByteStream) -> None:
        self._inner = inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._inner:
            size += len(chunk)
            if size > MAX_ANSWER_BYTES:
                raise httpx.ReadError(f"an answer of more than {MAX_ANSWER_BYTES} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self._inner.aclose()


def _object(url: str, content: bytes) -> dict[str, Any]:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise _unavailable(url, "not JSON") from error
    if not isinstance(value, dict):
        raise _unavailable(url, "not a JSON object")
    return value


def _unavailable(url: str, what: str) -> ProviderUnavailable:
    return ProviderUnavailable(
        "The identity provider does not answer as it should; try again in a minute.",
        detail=f"{url}: {what}",
    )
