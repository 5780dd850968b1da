"""Redis servers: clients, commands on the wire, errors, and :class:`~.broker.Broker`."""
