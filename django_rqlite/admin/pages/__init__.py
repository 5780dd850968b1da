"""The pages that only read. They use the read model and write nothing."""
