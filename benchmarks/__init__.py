"""Measures this client beside the official SDK, in one run on one machine.

Run it with ``make bench``, or ``python -m benchmarks --official PYTHON [NAME ...]``, where
PYTHON is the interpreter of an environment that has the official SDK. Linux only: memory is
read from ``/proc``.

::

    __main__      arguments in, tables out
    suite/        one module a benchmark, and the list of them
    setting       what a benchmark is given: both sides, rounds, the services when it asks for them
    sides         the two interpreters; code for them goes in, JSON comes out
    driver        the script that runs in either interpreter, against a service
    local_driver  the one for what needs no service
    floor_driver  the one in the place of a client: bare requests, a bare consumer
    answering     a service that answers each task itself, so that the client alone is measured;
                  answering_service is its process
    figures       rows of numbers, medians, ratios, targets
    table         rows as text
    plot          the scaling curve
    machine       what was measured on

Read the ratios: the columns take turns, so that what else the machine does hits all.
"""
