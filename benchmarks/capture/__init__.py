"""Captures with a known truth, what is read from each, and the verdict.

    case       one input: what it is, how it is written, what is true of it
    world      a small textured world and its exact pictures
    lenses     lens models as OpenCV and COLMAP define them, and their inverse by Newton's method
    writing    pictures and camera files; colmap_writing, COLMAP's reconstructions
    all_cases  the captures, in the modules that end in `_cases`
    reading    reads captures with a checkout of this project, in a process of its own
    verdict    compares what was read with the truth
    public     captures that others have published; public_truth, what is true of them

A case is a function that writes a capture into a folder and returns its truth, see `case`. Nothing
here uses the project's own cameras or readers.
"""
