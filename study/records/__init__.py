"""The study folder: its files, its tables and their schema, and study.json. Imports `spec`."""
