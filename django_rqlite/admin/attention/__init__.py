"""What needs attention: what is stuck, since when, and why.

These modules turn what the overview has read into sentences. They send no commands.
"""
