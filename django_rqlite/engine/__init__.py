"""Every change of state. Each is one method of :class:`.engine.Engine` and one Lua script.

The engine does not import Django. It has no queries for people; those are in ``queries``.
"""
