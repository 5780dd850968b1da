"""The distribution's version, kept apart so that setup.cfg can read it without importing Django."""

VERSION = "0.1.0"
