"""What changes something: by POST only, through the engine, safe to repeat, logged."""
