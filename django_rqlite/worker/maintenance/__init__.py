"""What any worker does beside running jobs, each thing one script that any number may run."""
