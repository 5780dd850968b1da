"""What each page shows. A page reads, through the read model, and writes nothing."""
