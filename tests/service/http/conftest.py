"""The service over fake engines (``app``, ``client``), and a real one with tiny models (``server``)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from tests.support.http_service import Parts, Serving, app_over, client_of, fake_parts, serving


@pytest.fixture(scope="session")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    """Fake engines, started once for all tests: each test is to leave them idle."""
    parts = fake_parts(tmp_path_factory.mktemp("service"))
    yield parts
    parts.close()


@pytest.fixture
def app(parts: Parts) -> FastAPI:
    return app_over(parts)


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    """A program on this computer, without the token."""
    with client_of(app) as client:
        yield client


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A process of its own, with the tiny models: started once, so leave it as it was."""
    with serving(tmp_path_factory.mktemp("server")) as server:
        yield server
