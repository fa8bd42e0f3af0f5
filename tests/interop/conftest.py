"""The processes of both packages, started once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.official import OfficialPackageMissing

from .exchange import Exchange, exchange


@pytest.fixture(scope="session")
def between() -> Iterator[Exchange]:
    """Both packages side by side."""
    try:
        with exchange() as started:
            yield started
    except OfficialPackageMissing as error:
        pytest.fail(str(error))
