"""Errors, printable text, atomic files, code hashes, the command line and a progress bar.

Imports no other room.
"""
