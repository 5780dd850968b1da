"""Apps whose modules do at their import what a fork does not carry over."""
