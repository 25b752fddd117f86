"""Errors, atomic files, the command line and a progress bar. Imports no other room."""
