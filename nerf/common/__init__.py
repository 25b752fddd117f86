"""Errors, atomic files, array shapes and the command line. Imports nothing else of this project."""
