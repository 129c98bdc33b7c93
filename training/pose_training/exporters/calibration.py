# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Inputs for the ranges of activations in int8: whole images, or crops of people."""
from typing import Iterator, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np
from onnxruntime.quantization import CalibrationDataReader

from pose_ros.core.card import InputSpec
from pose_ros.core.preprocessing import Preprocessor
from pose_ros.core.regions import crop_region, whole
from pose_training.exporters.onnx_graph import INPUT

MOST = 64  # people of one file of labels, evenly chosen


class View(NamedTuple):
    """An image file, and the box of a person in it (left, top, width, height) [px] or None."""

    path: str
    box: Optional[Sequence[float]] = None
    size: Optional[Tuple[int, int]] = None  # (width, height) of the labels


def views(paths: Sequence[str], crops: bool) -> List[View]:
    """Return the views of image files and of COCO keypoint files (.json).

    The views of a file of labels are its people with `crops`, else its images, at most MOST,
    evenly chosen. Raises DataError for an invalid file.
    """
    found: List[View] = []
    for path in paths:
        found += _labelled(path, crops) if path.lower().endswith('.json') else [View(path)]
    return found


def _labelled(path, crops):
    from pose_training.data.coco import box_of, is_labelled, load_coco, present, size_of
    file = load_coco(path)
    there = set(present([file.path_of(image) for image in file.images], path))
    found = []
    for image in file.images:
        name, size = file.path_of(image), size_of(image)
        if name not in there:
            continue
        people = [person for person in file.people.get(image['id'], ()) if is_labelled(person)]
        found += [View(name, box_of(person), size) for person in people] if crops \
            else [View(name, None, size)]
    chosen = np.linspace(0, len(found) - 1, min(MOST, len(found))).round().astype(int)
    return [found[index] for index in chosen]


class CalibrationInputs(CalibrationDataReader):
    """Feeds views to the calibration, one at a time, as batches of `rows` equal inputs."""

    def __init__(self, chosen: Sequence[View], spec: InputSpec, rows: int):
        self._views: Iterator[View] = iter(chosen)
        self._spec, self._rows = spec, rows
        self._preprocessor = Preprocessor(spec, 1)

    def get_next(self):
        """Return the next input, or None after the last; ImageError for an invalid image."""
        view = next(self._views, None)
        if view is None:
            return None
        from pose_training.data.images import read_labelled
        image = read_labelled(view.path, view.size)
        region = whole(0, *image.shape[1::-1]) if view.box is None \
            else crop_region(0, view.box, self._spec)
        self._preprocessor.write(image, region, 0)
        return {INPUT: self._preprocessor.batch.repeat(self._rows, 0)}
