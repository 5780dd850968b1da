"""The processes in which jobs run: forking, feeding, watching and ending them."""
