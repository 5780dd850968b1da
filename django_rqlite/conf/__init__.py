"""What the project's settings say, typed and checked."""

from .settings import *  # noqa: F403
