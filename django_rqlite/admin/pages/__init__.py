"""The pages that show something. They read through the read model and write nothing."""
