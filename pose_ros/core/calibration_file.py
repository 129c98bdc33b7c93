# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Camera calibration from the YAML file that camera_calibration writes."""
import math
from typing import Any, List, NamedTuple

from pose_ros.core.camera import Pinhole, pinhole_from_camera_info
from pose_ros.core.errors import ImageError
from pose_ros.core.quoting import quoted
from pose_ros.core.reading import LARGEST_CARD, read_file
from pose_ros.core.strict_yaml import parse_yaml

# Key in the file, field of the message, rows and columns (None: as many as there are).
_MATRICES = (('camera_matrix', 'k', 3, 3), ('distortion_coefficients', 'd', 1, None),
             ('rectification_matrix', 'r', 3, 3), ('projection_matrix', 'p', 3, 4))
_MOST_COEFFICIENTS = 14
_LONGEST_SIDE = 65535  # px


class RegionOfInterest(NamedTuple):
    """The whole image."""

    x_offset: int = 0
    y_offset: int = 0
    width: int = 0
    height: int = 0


class CalibrationFile(NamedTuple):
    """The content of a file, with the fields of sensor_msgs/CameraInfo."""

    width: int
    height: int
    distortion_model: str
    k: List[float]
    d: List[float]
    r: List[float]
    p: List[float]
    roi: Any = RegionOfInterest()
    binning_x: int = 0
    binning_y: int = 0

    def pinhole(self) -> Pinhole:
        """Return the camera of images that are not rectified."""
        return pinhole_from_camera_info(self)


def load_calibration(path: str) -> CalibrationFile:
    """Read a file; ImageError names what it lacks."""
    try:
        content = parse_yaml(read_file(path, LARGEST_CARD))
        if not isinstance(content, dict):
            raise ValueError('it holds {}, and no keys'.format(quoted(content)))
        size = _side(content, 'image_width'), _side(content, 'image_height')
        result = CalibrationFile(*size, distortion_model=_word(content, 'distortion_model'), **{
            field: _numbers(content, key, rows, columns)
            for key, field, rows, columns in _MATRICES})
        result.pinhole()
    except OSError as error:
        raise ImageError(
            'cannot read the camera calibration {}: {}'.format(path, error.strerror)) from error
    except KeyError as error:
        raise _invalid(path, 'it lacks the key {}'.format(error)) from error
    except ValueError as error:
        raise _invalid(path, error) from error
    return result


def _side(content, key):
    value = content[key]
    if type(value) is not int or not 1 <= value <= _LONGEST_SIDE:
        raise ValueError('{} must be a whole number from 1 to {}, not {}'.format(
            key, _LONGEST_SIDE, quoted(value)))
    return value


def _word(content, key):
    value = content[key]
    if not isinstance(value, str) or not value.isprintable() or len(value) > 100:
        raise ValueError('{} must be a word, not {}'.format(key, quoted(value)))
    return value


def _numbers(content, key, rows, columns):
    """Return the numbers of a matrix; ValueError unless it has these rows and columns."""
    matrix = content[key]
    if not isinstance(matrix, dict) or not isinstance(matrix['data'], list):
        raise ValueError('{} must have data, a list of numbers'.format(key))
    data = matrix['data']
    count = rows * columns if columns else len(data)
    if len(data) != count or count > max(_MOST_COEFFICIENTS, rows * (columns or 1)):
        raise ValueError('{} has {} numbers, not {}'.format(
            key, len(data), count if columns else 'up to {}'.format(_MOST_COEFFICIENTS)))
    for name, wanted in (('rows', rows), ('cols', columns or count)):
        if matrix.get(name, wanted) != wanted or isinstance(matrix.get(name), bool):
            raise ValueError('{} has {} {}, not {}'.format(
                key, name, quoted(matrix[name]), wanted))
    return [_number(key, value) for value in data]


def _number(key, value):
    try:
        # YAML 1.1 takes 1e-05 for text.
        number = float(value) if isinstance(value, (int, float, str)) else math.nan
    except (ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number) or isinstance(value, bool):
        raise ValueError('{} holds {}, which is no finite number'.format(key, quoted(value)))
    return number


def _invalid(path, reason):
    return ImageError('{} is not a camera calibration: {}; it must be a YAML file as written by '
                      'camera_calibration'.format(path, reason))
