"""The asynchronous client: recipes to their end, cancelling, closing, and loops."""

from __future__ import annotations

import asyncio

from tests.support.scripted_service import TASK_ID, ScriptedService

STATUS = ("POST", "/v2/batch_status")


def test_a_recipe_returns_its_value() -> None:
    """The end of a recipe is the method's value, also where it comes with an answer."""
    service = ScriptedService({STATUS: {"results": {}}})

    async def ask() -> object:
        async with service.async_client() as client:
            return await client.get_batch_result([TASK_ID])

    assert asyncio.run(ask()) == {TASK_ID: {"pending": True, "status": "unknown"}}
