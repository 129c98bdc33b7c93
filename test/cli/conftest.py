# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the command line: images for the tiny network, and a way to run commands."""
import collections

import cv2
import numpy as np
import pytest

from pose_ros.cli.main import main

Answer = collections.namedtuple('Answer', 'code out err')


@pytest.fixture
def pose_ros(capsys):
    """Run `pose-ros ARGUMENTS...` in this process; its exit code, stdout and stderr."""
    def run(*arguments):
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        return Answer(code, *capsys.readouterr())
    return run


def make_image(blue=255, width=160, height=128):
    """Return an image: the tiny network finds two people if it is blue, none if it is black."""
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0] = blue
    return image


@pytest.fixture
def images(tmp_path):
    """Folder with a blue image a.png (two people) and a black one b.png (nobody)."""
    folder = tmp_path / 'images'
    folder.mkdir()
    cv2.imwrite(str(folder / 'a.png'), make_image())
    cv2.imwrite(str(folder / 'b.png'), make_image(blue=0))
    return folder


@pytest.fixture
def video(tmp_path):
    """Video of 12 frames at 10 Hz: people in the first five, then nobody."""
    path = str(tmp_path / 'clip.avi')
    writer = cv2.VideoWriter(path, cv2.VideoWriter_fourcc(*'MJPG'), 10.0, (160, 128))
    for number in range(12):
        writer.write(make_image(blue=255 if number < 5 else 0))
    writer.release()
    return path
