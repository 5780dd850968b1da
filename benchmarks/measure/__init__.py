"""The measurements, a file for each."""
