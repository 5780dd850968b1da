"""The read model, for people: what pages, commands and metrics show. It writes nothing."""
