"""What a long-running process needs of the operating system."""
