"""An app that receives the signals of jobs and writes them to a file."""
