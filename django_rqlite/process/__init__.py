"""The operating system's services for long-running processes: signals, identity, memory."""
