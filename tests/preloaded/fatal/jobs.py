"""A module that nobody survives."""

from __future__ import annotations

import os

os._exit(3)
