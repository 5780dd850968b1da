"""Redis servers: their clients, the wire, and what is said when they refuse."""
