"""Views that change something: by POST, through the engine, safe to repeat, and logged."""
