"""Findings rendered to self-contained HTML pages. Imports `figures` and all below it."""
