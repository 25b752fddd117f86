"""Readers of the scene formats that other tools write, one file per format.

    blender               transforms_{train,val,test}.json
    instant_ngp           transforms.json; both through json_file (keys), transforms_json (frames)
                          and json_cameras (focal lengths, lenses)
    colmap                colmap_folders finds the reconstruction, colmap_files reads it by
                          colmap_binary or colmap_text into colmap_records
    llff, tiny_nerf       poses_bounds.npy, one .npz file

    find_images, image_files, mask_files, ply_points, untrusted_files  files, safely
    camera_models, rigid_poses, splits, named_splits                   what formats have in common
    capture     builds the checked scene: fit_cameras, read_pictures, scene_checks, capture_notes
    view        one picture with its camera, as readers return it

Imports `bounds`, `cameras` and `scene`. To add a format, write a reader here that fills a `Capture`
and calls `build_scene`, and recognise its files in `nerf/scenes/__init__.py`.
"""
