"""A study's copy in a folder, s3:// or gs://: files, mirroring, and who may write to it.

Imports `records` and `protocol`.
"""
