"""Series of single calls at default settings: what the limits of requests make of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from benchmarks.answering import answering
from benchmarks.figures import Row
from benchmarks.setting import Benchmark, Setting

#: Seconds after which neither client remembers earlier requests.
_REST_S = 16.0

#: What the service accepts: so many requests in so many seconds.
_LIMIT = 20
_WINDOW_S = 10.0


def _run(setting: Setting) -> list[Row]:
    # The official client mostly waits, for more than a minute each time; ours waits meanwhile.
    with (
        answering(setting.broker_url) as theirs,
        ThreadPoolExecutor(2) as pool,
    ):
        official = [
            pool.submit(theirs.drive, setting.official, "series", 20, rest_s=rest_s)
            for rest_s in (None, _REST_S)
        ]
        ours = [
            setting.answering.drive(setting.ours, "series", 20, rest_s=rest_s)["elapsed"]
            for rest_s in (None, _REST_S)
        ]
        sixty = setting.answering.drive(setting.ours, "series", 60)["elapsed"]
        seen = setting.answering.observed()
        fresh, rested = (future.result()["elapsed"] for future in official)
    allowed = (60 + seen.beside_submits) / _LIMIT * _WINDOW_S
    return [
        Row("twenty calls, fresh", "s", {"official": [fresh], "ours": ours[:1]}, target=1 / 50),
        Row("twenty calls, rested", "s", {"official": [rested], "ours": ours[1:]}, target=1 / 50),
        Row("sixty calls, fresh", "s", {"ours": [sixty]}, limit=allowed),
        Row("requests beside the calls", "", {"ours": [seen.beside_submits]}),
        Row("most requests in 10 s", "", {"ours": [seen.most_in(_WINDOW_S)]}, limit=_LIMIT),
    ]


BENCHMARK = Benchmark(
    name="series",
    measures="twenty and sixty calls one after another, at default limits",
    method=f"""\
One round on the service that answers at once, both clients at their defaults, from the first submit
to the last result. Fresh: the first call is the first of the process, so that the requests before
it (the registration, the way to the result queue, ...) count against the service's limit of
{_LIMIT} requests in {_WINDOW_S:.0f} s, too; twenty calls are then more requests than it accepts at
once, and the last of them wait for the next window. Rested: one call warms up, and the client rests
for {_REST_S:.0f} s. Sixty calls may take what the limit gives their requests and those beside them,
(60 + these) / {_LIMIT} * {_WINDOW_S:.0f} s. The official client runs at the same time as ours, on a
service of its own: it mostly waits. Its sixty calls would take some four minutes, and are left
out.""",
    run=_run,
)
