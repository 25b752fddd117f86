"""A study's progress in numbers and words, and the live view. Imports `records` and `spec`."""
