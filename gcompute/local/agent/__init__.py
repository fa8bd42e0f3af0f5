"""An endpoint agent: takes tasks from an AMQP queue, runs them, answers.

::

    broker                     agent process (asyncio)                     worker processes
      |   task message   +-----------+   Task    +------------+   frame    +----------------+
      |----------------->| intake    |---------->| WorkerPool |----------->| worker         |
      |   ack, nack      | (Acks)    |<----------|            |<-----------| execution      |
      |<-----------------+-----------+  started  +------------+   result   +----------------+
      |   result         +-----------+                 |
      |<-----------------| Outbox    |<----------------+
      |   status report  +-----------+
      |<-----------------| heartbeat |
                         +-----------+

It attaches to any Globus Compute service as the official agent does, by the registration that
the service answered with (``docs/wire.md#amqp-0-9-1``), and declares nothing. Run it with
``python -m gcompute.local.agent``; :mod:`gcompute.local.agent.__main__` says how to talk to it.

In place of the worker processes there may be an engine, any ``concurrent.futures.Executor``:
:class:`~gcompute.local.agent.executor_pool.ExecutorPool` then takes the place of the worker pool.

The agent never looks into a task message: the worker decodes it, runs the function and encodes
the result message, so that the agent's one thread only moves bytes.

Who owns a task: the broker until a worker has it (then it is acknowledged), the pool while it
runs, the outbox from then until the broker has confirmed its result.
"""
