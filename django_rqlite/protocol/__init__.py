"""The vocabulary: key names, records and encodings of RQ's Redis layout. No I/O in here."""
