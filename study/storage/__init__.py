"""A study's copy in a folder, s3:// or gs://: access, mirroring, and the lease to write to it.

Imports `records`, `spec` and `protocol`.
"""
