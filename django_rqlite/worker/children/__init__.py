"""The processes in which jobs run: fork them, give them jobs, watch them and end them."""
