# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Camera calibration from the YAML file that camera_calibration writes."""
from copy import deepcopy

from sensor_msgs.msg import CameraInfo
import yaml

from pose_ros.core.errors import ImageError

# Key in the file, field of the message, how many numbers (None: as many as there are).
_MATRICES = (('camera_matrix', 'k', 9), ('distortion_coefficients', 'd', None),
             ('rectification_matrix', 'r', 9), ('projection_matrix', 'p', 12))
_ASPECT_TOLERANCE = 0.01


def load_camera_info(path: str) -> CameraInfo:
    """Read a file into a CameraInfo without header; ImageError names what the file lacks."""
    try:
        with open(path, 'r') as stream:
            content = yaml.safe_load(stream)
        info = CameraInfo(width=int(content['image_width']), height=int(content['image_height']),
                          distortion_model=str(content['distortion_model']))
        for key, field, count in _MATRICES:
            # YAML 1.1 takes 1e-05 for text.
            numbers = [float(number) for number in content[key]['data']]
            if count is not None and len(numbers) != count:
                raise ValueError('{} has {} numbers, not {}'.format(key, len(numbers), count))
            setattr(info, field, numbers)
    except OSError as error:
        raise ImageError(
            'cannot read the camera calibration {}: {}'.format(path, error.strerror)) from error
    except KeyError as error:
        raise _invalid(path, 'it lacks the key {}'.format(error)) from error
    except (TypeError, ValueError, yaml.YAMLError) as error:
        raise _invalid(path, error) from error
    if min(info.width, info.height) < 1 or not (info.k[0] > 0 and info.k[4] > 0):
        raise _invalid(path, 'its image size and focal lengths must be above 0')
    return info


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
