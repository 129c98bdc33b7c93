# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Camera calibration from the YAML file that camera_calibration writes."""
from copy import deepcopy
import math

from sensor_msgs.msg import CameraInfo

from pose_ros.core.camera import pinhole_from_camera_info
from pose_ros.core.errors import ImageError
from pose_ros.core.quoting import quoted
from pose_ros.core.reading import LARGEST_CARD, read_file
from pose_ros.core.strict_yaml import parse_yaml

# Key in the file, field of the message, rows and columns (None: as many as there are).
_MATRICES = (('camera_matrix', 'k', 3, 3), ('distortion_coefficients', 'd', 1, None),
             ('rectification_matrix', 'r', 3, 3), ('projection_matrix', 'p', 3, 4))
_MOST_COEFFICIENTS = 14
_LONGEST_SIDE = 65535  # px
_ASPECT_TOLERANCE = 0.01


def load_camera_info(path: str) -> CameraInfo:
    """Read a file into a CameraInfo without header; ImageError names what the file lacks."""
    try:
        content = parse_yaml(read_file(path, LARGEST_CARD))
        if not isinstance(content, dict):
            raise ValueError('it holds {}, and no keys'.format(quoted(content)))
        info = CameraInfo(width=_side(content, 'image_width'),
                          height=_side(content, 'image_height'),
                          distortion_model=_word(content, 'distortion_model'))
        for key, field, rows, columns in _MATRICES:
            setattr(info, field, _numbers(content, key, rows, columns))
        pinhole_from_camera_info(info)
    except OSError as error:
        raise ImageError(
            'cannot read the camera calibration {}: {}'.format(path, error.strerror)) from error
    except KeyError as error:
        raise _invalid(path, 'it lacks the key {}'.format(error)) from error
    except ValueError as error:
        raise _invalid(path, error) from error
    return info


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


def scale_camera_info(info: CameraInfo, width: int, height: int) -> CameraInfo:
    """Return the calibration of the same camera with images resized to width x height px.

    Pixel centers are at integer coordinates, so x becomes (x + 0.5) s - 0.5. ImageError if the
    aspect differs: then the images are not those that were calibrated.
    """
    scales = float(width) / info.width, float(height) / info.height
    if abs(scales[0] / scales[1] - 1) > _ASPECT_TOLERANCE:
        raise ImageError(
            'the camera calibration is for images of {} x {}, these have {} x {}: calibrate '
            'again, set width and height, or leave camera_info_file empty'.format(
                info.width, info.height, width, height))
    result = deepcopy(info)
    result.width, result.height = width, height
    for matrix, columns in ((result.k, 3), (result.p, 4)):
        for row, scale in enumerate(scales):
            for column in range(columns):
                matrix[row * columns + column] *= scale
            matrix[row * columns + 2] += 0.5 * scale - 0.5
    return result


def _invalid(path, reason):
    return ImageError('{} is not a camera calibration: {}; it must be a YAML file as written by '
                      'camera_calibration'.format(path, reason))
