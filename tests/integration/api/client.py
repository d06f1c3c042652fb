"""Asks the app over ASGI, as a server would."""

import asyncio
from typing import Any, Self

import httpx
from fastapi import FastAPI


class ApiClient:
    """A synchronous client of an app, on one event loop of its own."""

    def __init__(self, app: FastAPI, address: str = "127.0.0.1") -> None:
        self._runner = asyncio.Runner()
        self._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app, client=(address, 50_000)), base_url="http://api.test"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.run(self._client.aclose())
        self._runner.close()

    def request(self, method: str, path: str, **parts: Any) -> httpx.Response:
        return self._runner.run(self._client.request(method, path, **parts))

    def get(self, path: str, **parts: Any) -> httpx.Response:
        return self.request("GET", path, **parts)

    def pages(self, path: str, **parameters: Any) -> list[list[dict[str, Any]]]:
        """Every page of a list."""
        pages = []
        while True:
            response = self.get(path, params=parameters)
            assert response.status_code == 200, response.text
            pages.append(response.json()["items"])
            cursor = response.json()["next"]
            if cursor is None:
                return pages
            assert cursor != parameters.get("cursor"), "a page leads to itself"
            parameters["cursor"] = cursor

    def items(self, path: str, **parameters: Any) -> list[dict[str, Any]]:
        """Every item of a list, through all its pages."""
        return [item for page in self.pages(path, **parameters) for item in page]
