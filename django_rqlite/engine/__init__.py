"""Every change of state is one Lua script and one method of :class:`transitions.Engine`.

The engine knows no Django. :mod:`monitor` is the read model, for people; the worker never uses it.
"""
