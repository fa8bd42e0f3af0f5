"""What users do with a ``Client``."""

from __future__ import annotations

from tools.recording.scenario import Stage, scenario


@scenario("client", "agent")
def register_and_run(stage: Stage) -> None:
    """A function is registered, run, and its result fetched once it is there."""
    client = stage.client()
    function_id = client.register_function(stage.function("add"))
    task_id = client.run(1, b=2, endpoint_id=stage.endpoint_id, function_id=function_id)
    stage.until_finished(task_id)
    stage.note("result", client.get_result(task_id))
    stage.note("name", client.get_function(function_id)["function_name"])
