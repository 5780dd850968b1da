"""What every worker does besides running jobs. Each part is one script that any number may run."""
