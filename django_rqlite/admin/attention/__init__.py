"""What needs attention: what is stuck, since when, and why.

These modules make sentences of what the overview has read; they send no commands.
"""
