"""The version. In a separate module, so that setup.cfg can read it without importing Django."""

VERSION = "0.1.0"
