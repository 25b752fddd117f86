"""A neural radiance field in plain PyTorch: scenes, model, training and evaluation of one NeRF.

Commands: `nerf/train.py` trains one NeRF; `nerf/video.py`, `nerf/view.py` and `nerf/export.py`
show it.

Rooms, each importing only from those after it:

    run         the run folder, progress bar, contact sheet and video
    viewer      the interactive viewer in a browser
    surface     depth maps, a point cloud and a mesh of a trained NeRF
    training    the training loop, its checkpoints and its health watch
    evaluation  renders held-out views; PSNR and SSIM
    model       the radiance field: sampling, encodings, network, rendering
    plugins     what a plugin of the user registers
    scenes      images with cameras, from any source
    config      every choice a user may change, with its domain
    common      errors, files, progress bar and the command line

Begin with `config/schema.py`, then `training/loop.py` and `model/nerf.py`. Nothing here imports
Ray, Optuna, pandas or W&B.
"""
