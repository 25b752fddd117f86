"""Findings rendered to self-contained HTML pages.

`study_page` and `comparison_page` make whole pages, the `..._sections` modules their sections:
Python builds view objects, the Jinja2 templates in templates/ lay them out, with autoescape on.

Imports `figures` and all below it.
"""
