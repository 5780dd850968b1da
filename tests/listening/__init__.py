"""An app that listens to signals about jobs and writes down what it hears."""
