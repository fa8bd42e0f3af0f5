"""An AMQP 0-9-1 broker in memory, for one machine and one user.

`Broker` is the whole interface. What is below `transport` knows no sockets, threads or clocks:

    server          the port, and what an event of one connection means for all
    transport       one socket with its timers
    connection      its states, from the protocol header to the end
    login, reading, channels  who may come in; what has come in; whose it is
    channel         the methods of one channel
    topology        those of them that declare, bind and delete
    publishing, deliveries    messages on their way in and out
    vhost, exchange, queue    where messages are and where they go
    users, places, limits, heartbeat, queue_arguments, faults, codec    what the others share
"""

from .limits import BrokerLimits
from .server import Broker

__all__ = ["Broker", "BrokerLimits"]
