"""The version, in a module of its own so that setup.cfg can read it without importing Django."""

VERSION = "0.1.0"
