"""What every worker does besides running jobs. Any number of workers may do it at once."""
