"""Every lens model against COLMAP's own projection, and back."""

from __future__ import annotations

import numpy as np
import pytest

from nerf.scenes.cameras.direction_table import direction_table
from nerf.scenes.cameras.lens import (
    Lens,
    directions_to_plane,
    lens_arrays,
    plane_to_directions,
    shown,
)

pycolmap = pytest.importorskip("pycolmap")

WIDTH, HEIGHT, FOCAL, CENTRE = 90, 60, (52.0, 50.0), (44.0, 31.5)

LENSES = {
    "OPENCV": Lens(coefficients=(-0.12, 0.05, 0.001, -0.002)),
    "FULL_OPENCV": Lens(coefficients=(0.6, 0.3, 0.001, -0.0005, 0.05, 0.9, 0.2, 0.01)),
    "OPENCV_FISHEYE": Lens("fisheye", (0.03, 0.005, 0.0007, 0.0001)),
    "FISHEYE": Lens("fisheye"),
    "EQUIRECTANGULAR": Lens("equirectangular"),
}
"""Lenses by the name of COLMAP's model of the same lens."""


def camera(model: str) -> pycolmap.Camera:
    parameters = [*FOCAL, *CENTRE, *LENSES[model].coefficients]
    if model == "EQUIRECTANGULAR":
        parameters = [WIDTH, HEIGHT]
    return pycolmap.Camera(model=model, width=WIDTH, height=HEIGHT, params=parameters)


def focal_and_centre(model: str) -> tuple[np.ndarray, np.ndarray]:
    if model == "EQUIRECTANGULAR":
        turn = np.array([WIDTH / 2, HEIGHT]) / np.pi
        return turn, np.array([WIDTH / 2, HEIGHT / 2])
    return np.array(FOCAL), np.array(CENTRE)


def pixels() -> tuple[np.ndarray, np.ndarray]:
    return np.meshgrid(np.arange(WIDTH) + 0.5, np.arange(HEIGHT) + 0.5)


def angles(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Degrees between directions."""
    a, b = (v / np.linalg.norm(v, axis=-1, keepdims=True) for v in (a, b))
    return np.degrees(np.linalg.norm(a - b, axis=-1))


def our_directions(model: str) -> np.ndarray:
    """Directions (rows, columns, 3) of all pixels."""
    focal, centre = focal_and_centre(model)
    columns, rows = pixels()
    x, y = (columns - centre[0]) / focal[0], (rows - centre[1]) / focal[1]
    assert shown(LENSES[model], x, y).all()
    return plane_to_directions(LENSES[model], x, y)


@pytest.mark.parametrize("model", LENSES)
def test_colmap_projects_our_rays_back_to_their_pixels(model: str) -> None:
    directions = our_directions(model)
    # COLMAP's camera has y down and looks along +z.
    theirs = camera(model).img_from_cam((directions * (1, -1, -1)).reshape(-1, 3))
    off = np.linalg.norm(np.array(theirs) - np.stack(pixels(), -1).reshape(-1, 2), axis=-1)
    assert off.max() < 1e-4  # pixels, of a degree each


@pytest.mark.parametrize("model", LENSES)
def test_directions_are_shown_where_they_come_from(model: str) -> None:
    focal, centre = focal_and_centre(model)
    x, y, depth = directions_to_plane(LENSES[model], 3.0 * our_directions(model))
    columns, rows = pixels()
    np.testing.assert_allclose(x * focal[0] + centre[0], columns, atol=1e-6)
    np.testing.assert_allclose(y * focal[1] + centre[1], rows, atol=1e-6)
    assert (depth > 0).all()


@pytest.mark.parametrize("model", LENSES)
def test_tables_of_directions_are_accurate(model: str) -> None:
    focal, centre = focal_and_centre(model)
    table = direction_table(LENSES[model], tuple(focal), tuple(centre), WIDTH, HEIGHT)
    interpolated = table.at_grid(np.arange(WIDTH), np.arange(HEIGHT))
    assert angles(interpolated, our_directions(model)).max() < 2e-3


def test_the_fourth_radial_coefficient_of_browns_model() -> None:
    """Metashape's and nerfstudio's k4 multiplies r^8; OpenCV's divides."""
    lens = Lens(coefficients=(0.1, -0.02, 0, 0, 0.01, 0, 0, 0, 0.003))
    x, y, _ = directions_to_plane(lens, np.array([[0.6, 0.0, -1.0]]))
    factor = 1 + 0.1 * 0.6**2 - 0.02 * 0.6**4 + 0.01 * 0.6**6 + 0.003 * 0.6**8
    np.testing.assert_allclose([x[0], y[0]], [0.6 * factor, 0])
    assert plane_to_directions(lens, x, y)[0, 0] == pytest.approx(0.6)


def test_a_fisheye_lens_sees_behind_itself() -> None:
    lens = Lens("fisheye", (0.01, 0.0))
    sideways = np.radians(100)
    direction = np.array([[np.sin(sideways), 0, -np.cos(sideways)]])
    x, y, depth = directions_to_plane(lens, direction)
    np.testing.assert_allclose(x, sideways + 0.01 * sideways**3)
    np.testing.assert_allclose(depth, 1)
    np.testing.assert_allclose(plane_to_directions(lens, x, y), direction, atol=1e-12)


def test_the_corners_beyond_a_fisheyes_circle_are_not_shown() -> None:
    lens = Lens("fisheye", (-0.1,))  # theta_d = theta - 0.1 theta^3 grows up to 105 degrees
    rim = 2 / 3 * np.sqrt(10 / 3)
    x = np.array([0.0, rim - 1e-3, rim + 1e-3])
    assert shown(lens, x, np.zeros(3)).tolist() == [True, True, False]
    assert np.isfinite(plane_to_directions(lens, x, np.zeros(3))).all()


def test_arrays_of_lenses_are_as_they_always_were_without_the_new_ones() -> None:
    assert lens_arrays([Lens(coefficients=(0.0,) * 4)] * 2) == (None, None)
    distortion, models = lens_arrays([Lens(), Lens(coefficients=(0.1, 0, 0, 0, 0, 0))])
    assert models is None
    assert distortion is not None
    np.testing.assert_allclose(distortion, [[0, 0, 0, 0], [0.1, 0, 0, 0]])
    distortion, models = lens_arrays([Lens(), Lens("fisheye")])
    assert (distortion, models) == (None, ("perspective", "fisheye"))
