"""How fast it is, beside others. ``make bench``; README.md says what is measured and how."""
