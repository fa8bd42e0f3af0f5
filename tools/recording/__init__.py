"""Recordings of the official SDK's traffic: ``make record``.

::

    __main__ ── service, official agent, front, proxy          this package's interpreter
       │  stdin: order, then answers      ▲ stdout: questions
       ▼                                  │
    official ── scenarios ── official SDK ── vcrpy ──► front ──► service      .tools/recording
                                  └── pika ── frames ──► proxy ──► broker
       │
       ▼
    cassettes/<family>/<scenario>.yaml, .amqp.jsonl

`scenario` says what a script may do, `scenarios/` are the scripts, `official` and `official_stage`
play them with the official SDK. `cassette_format` and `frames` say how traffic is written,
`scrubbing` what of it must not be. `matching` says when two requests are the same, `comparison`
when two recordings are. What the official interpreter runs imports nothing of gcompute.
"""
