"""Every change of state: one method of :class:`.engine.Engine`, and one Lua script, for each.

The engine knows no Django. It does not read for people; ``queries`` does.
"""
