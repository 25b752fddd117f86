"""Photographs and videos without cameras: poses are estimated by COLMAP and kept in a cache.

    load_photographs  the scene of a folder of pictures, or of a video
    video_frames      the sharpest frame of each window of a video
    model_files       pictures to COLMAP's model of them, with lines on what could not be placed
    diagnosis         which pictures were not placed, why, and what to photograph better
    estimate_poses    COLMAP's features, matches and incremental mapping, through pycolmap
    pairs             which pictures are compared with which
    working_copies    shrunk, upright copies of the pictures, and which of them share a camera
    cached_results    complete results in the user's cache folder, under a hash of their input

pycolmap is the extra `photos`. Imports `formats`.
"""
