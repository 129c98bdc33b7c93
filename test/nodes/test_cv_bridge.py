# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The real cv_bridge, where it is installed: it agrees, and serves encodings unknown here."""
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
from sample_images import color_image
import pytest

from pose_ros.core.errors import ImageError
from pose_ros.core.image_messages import DECODERS, decode_image

HEIGHT, WIDTH = 12, 20
SIZES = {'mono8': 1, 'bgr8': 3, 'rgb8': 3, 'bgra8': 4, 'rgba8': 4, 'yuv422': 2,
         'mono16': 2, 'bgr16': 6, 'rgb16': 6, 'bgra16': 8, 'rgba16': 8}  # bytes of a pixel
SIZES.update({'bayer_{}8'.format(pattern): 1 for pattern in ('rggb', 'bggr', 'gbrg', 'grbg')})


TRIAL = """
import numpy
from cv_bridge.boost.cv_bridge_boost import cvtColor2
cvtColor2(numpy.zeros((2, 2), numpy.uint8), 'mono8', 'bgr8')
"""


@pytest.fixture(scope='module')
def bridge():
    """Return a CvBridge; tried in another process, since one for NumPy 1 crashes under NumPy 2."""
    trial = subprocess.run([sys.executable, '-c', TRIAL], stdout=subprocess.DEVNULL,
                           stderr=subprocess.PIPE)
    if trial.returncode:
        lines = trial.stderr.decode().splitlines() or ['exit code {}'.format(trial.returncode)]
        pytest.skip('cv_bridge cannot be used: {}'.format(lines[-1]))
    from cv_bridge import CvBridge
    return CvBridge()


def message(encoding, pixel):
    """Return an image of random bytes, `pixel` bytes each."""
    data = color_image(HEIGHT, 8 * WIDTH).tobytes()[:HEIGHT * WIDTH * pixel]
    return SimpleNamespace(encoding=encoding, width=WIDTH, height=HEIGHT, step=WIDTH * pixel,
                           is_bigendian=0, data=data)


@pytest.mark.parametrize('encoding', sorted(SIZES))
def test_known_encodings_are_decoded_as_by_cv_bridge(bridge, encoding):
    msg = message(encoding, SIZES[encoding])
    expected = bridge.imgmsg_to_cv2(msg, 'bgr8')
    difference = np.abs(decode_image(msg).astype(int) - expected)
    # cv_bridge rounds 16 bits to 8, where the upper 8 are taken here.
    assert difference.max() <= (1 if encoding.endswith('16') else 0)


@pytest.mark.parametrize('encoding', ['rgb8', 'mono8', 'bayer_grbg8', 'yuv422', 'mono16'])
def test_an_encoding_that_is_not_known_goes_to_cv_bridge(bridge, monkeypatch, encoding):
    msg = message(encoding, SIZES[encoding])
    monkeypatch.delitem(DECODERS, encoding)
    decoded = decode_image(msg)
    assert decoded.dtype == np.uint8 and decoded.shape == (HEIGHT, WIDTH, 3)
    np.testing.assert_array_equal(decoded, bridge.imgmsg_to_cv2(msg, 'bgr8'))


@pytest.mark.parametrize('encoding, reason', [
    ('xyz9', 'Unrecognized image encoding'), ('32SC3', 'is not a color format')])
def test_what_cv_bridge_refuses_is_an_image_error_with_its_reason(bridge, encoding, reason):
    with pytest.raises(ImageError, match=reason) as caught:
        decode_image(message(encoding, 12))
    assert encoding in str(caught.value) and 'rgb8' in str(caught.value)
