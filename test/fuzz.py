# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Random hostile cards, ONNX files, image messages and bags, with limits on memory and time.

    python test/fuzz.py KIND COUNT [SEED]

Each case follows from KIND, SEED and its number. A finding is an error that is not one of
pose_ros, a case that needs more than SECONDS of CPU time, or an accepted input that later breaks.
The process ends if it needs more than MOST_MIB of address space above that at its start, and its
last line is then the case before. Prints one line of JSON at the end; exit code 1 for findings.
"""
import contextlib
import json
import os
from pathlib import Path
import random
import resource
import signal
import sys
import tempfile
from types import SimpleNamespace

HERE = Path(__file__).resolve().parent
for folder in (HERE, HERE.parent):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

import cv2  # noqa: E402
import numpy as np  # noqa: E402

import models  # noqa: E402
from mutation import changed_bytes, changed_model, changed_value, NUMBERS, TEXTS  # noqa: E402
from pose_ros.core.camera import pinhole_from_camera_info  # noqa: E402
from pose_ros.core.card import CARD_KEY, parse_card  # noqa: E402
from pose_ros.core.card_files import load_card  # noqa: E402
from pose_ros.core.decoders import create_decoder  # noqa: E402
from pose_ros.core.errors import PoseRosError  # noqa: E402
from pose_ros.core.estimator import PoseEstimator  # noqa: E402
from pose_ros.core.image_messages import (  # noqa: E402
    DECODERS, decode_compressed, decode_image)
from pose_ros.core.onnx_file import with_metadata  # noqa: E402
from pose_ros.nodes.depth_codec import (  # noqa: E402
    decode_compressed_depth, decode_depth_image)

MIB = 1 << 20
MOST_MIB = 2048
SECONDS = 10
LONGEST_ERROR = 3000  # characters


def card_text(chance):
    """Return the text of a changed card."""
    data = models.card_data()
    for _ in range(chance.choice((1, 1, 2, 3))):
        data = changed_value(data, chance)
    text = json.dumps(data)
    kind = chance.randrange(12)
    if kind == 0:
        return changed_bytes(text.encode(), chance)
    if kind == 1:
        return text[:-1] + ', "name": "again"}'
    if kind == 2:
        deep = chance.choice((30, 1000, 100000))
        return text.replace('"tiny"', '[' * deep + ']' * deep, 1)
    if kind == 3:
        return text.replace('128', chance.choice(('1e400', '-' + '9' * 5000, '0' * 100, '1e-400')))
    return text


def use_card(text):
    """Read a card, and use what is accepted: its JSON, its decoder and outputs of its shape."""
    card = parse_card(text, 'card')
    written = card.to_json()
    json.loads(written, parse_constant=_refuse)
    if parse_card(written, 'again') != card:
        raise AssertionError('the card changes when it is written and read')
    decoder = create_decoder(card)
    outputs = {'output': np.zeros((57, 16, 20), np.float32)}
    decoder.check_outputs(outputs)
    decoder.decode(outputs)


def _refuse(name):
    raise AssertionError('{} in JSON'.format(name))


class Cases:
    """One method per kind: makes and uses one case from a random.Random."""

    def __init__(self, folder):
        self._path = os.path.join(folder, 'case.onnx')
        self._image = models.image()
        self._jpegs = [cv2.imencode(ending, cv2.resize(self._image, (64, 48)))[1].tobytes()
                       for ending in ('.jpg', '.png')]
        self._model = b''
        self._folder, self._bags = folder, None

    def _seed(self):
        if not self._model:
            with open(models.make_model(self._path), 'rb') as stream:
                self._model = stream.read()
        return self._model

    def cards(self, chance):
        """Read a changed card."""
        use_card(card_text(chance))

    def headers(self, chance):
        """Read the card of a changed ONNX file."""
        self._write(chance)
        load_card(self._path)

    def models(self, chance):
        """Load a changed ONNX file, or one with a changed card, and find people with it."""
        if chance.random() < .3:
            text = card_text(chance)
            content = with_metadata(self._seed(), CARD_KEY, text if isinstance(text, str)
                                    else text.decode('latin-1'))
            with open(self._path, 'wb') as stream:
                stream.write(content)
        else:
            self._write(chance)
        backend = chance.choice(('onnxruntime', 'openvino'))
        PoseEstimator(self._path, backend=backend)(self._image)

    def _write(self, chance):
        content = self._seed()
        if chance.random() < .5:
            content = changed_model(content, chance)
        else:
            # The weights are most of the file; what describes them is at both ends.
            ends = chance.choice((slice(0, 1500), slice(-3500, None), slice(None)))
            part = changed_bytes(content[ends], chance)
            content = part if ends == slice(None) else (
                part + content[1500:] if ends.stop else content[:-3500] + part)
        with open(self._path, 'wb') as stream:
            stream.write(content)

    def images(self, chance):
        """Decode a raw image message."""
        width, height = (chance.choice((0, 1, 2, 3, 5, 8, 64, 2 ** 31, 2 ** 32 - 1))
                         for _ in range(2))
        depth = chance.choice((1, 2, 3, 4, 6, 8))
        size = min(width * height * depth, 1 << 16)
        data = bytes(bytearray(chance.randrange(256) for _ in range(min(size, 64)))) * (
            size // 64 + 1)
        decode_image(SimpleNamespace(
            width=width, height=height, encoding=chance.choice(sorted(DECODERS) + list(TEXTS) + [
                '16UC1', '32FC1', '64FC4', '8UC5', 'bayer_rggb32']),
            step=chance.choice((width * depth % 2 ** 32, 0, 1, 2 ** 32 - 1, width % 2 ** 32)),
            is_bigendian=chance.choice((0, 1, 255)), data=data[:size + chance.choice((0, 0, -1))]))

    def compressed(self, chance):
        """Decode a compressed image message."""
        decode_compressed(SimpleNamespace(
            format=chance.choice(TEXTS + ('jpeg', 'rgb8; png compressed rgb8', 'compressedDepth')),
            data=changed_bytes(chance.choice(self._jpegs), chance)))

    def bags(self, chance):
        """Read a bag; its libraries are imported here, because others run without them."""
        if self._bags is None:
            from bag_cases import BagCases
            self._bags = BagCases(self._folder)
        self._bags.read(chance)

    def depths(self, chance):
        """Decode a raw or a compressed depth message."""
        height, width = chance.choice((0, 1, 3, 2 ** 32 - 1)), chance.choice((0, 1, 8, 2 ** 31))
        if chance.random() < .5:
            decode_depth_image(SimpleNamespace(
                width=width, height=height, encoding=chance.choice(('16UC1', '32FC1') + TEXTS),
                step=chance.choice((0, 2 * width % 2 ** 32, 4 * width % 2 ** 32)),
                is_bigendian=chance.choice((0, 1)), data=bytes(chance.choice((0, 1, 48, 4096)))))
            return
        png = cv2.imencode('.png', np.arange(96, dtype=np.uint16).reshape(8, 12))[1].tobytes()
        decode_compressed_depth(SimpleNamespace(
            format=chance.choice(TEXTS + ('16UC1; compressedDepth png', '32FC1; compressedDepth')),
            data=changed_bytes(bytes(12) + png, chance)))

    def calibrations(self, chance):
        """Read a camera_info message."""
        def number():
            return float(chance.choice(NUMBERS + (100., 100., float('nan'), float('inf'))))

        def size():
            return chance.choice((0, 1, 7, 640, 480, 2 ** 32 - 1))
        camera = pinhole_from_camera_info(SimpleNamespace(
            width=size(), height=size(), k=[number() for _ in range(9)],
            p=[number() for _ in range(12)], r=[number() for _ in range(9)],
            d=[number() for _ in range(chance.choice((0, 1, 4, 5, 8, 12, 14, 100)))],
            distortion_model=chance.choice(TEXTS + ('plumb_bob', 'equidistant',
                                                    'rational_polynomial')),
            binning_x=size(), binning_y=size(),
            roi=SimpleNamespace(x_offset=size(), y_offset=size(), width=size(), height=size(),
                                do_rectify=chance.random() < .5)), chance.random() < .5)
        camera.deproject(np.array([[0., 0.], [1e9, -5.], [float('nan'), 1.]]), 2.)


@contextlib.contextmanager
def _quiet():
    """Send what libraries print to /dev/null."""
    sys.stderr.flush()
    kept, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(null)


class _TooLong(BaseException):
    pass


def _end_case(number, frame):
    raise _TooLong()


def run_case(use, chance):
    """Use one case; return 'accepted', 'refused', or a finding as text."""
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        use(chance)
        return 'accepted'
    except PoseRosError as error:
        text = str(error)
        if len(text) > LONGEST_ERROR or not text.replace('\n', '').isprintable():
            return 'an error of {} characters: {!a:.200}'.format(len(text), text)
        return 'refused'
    except _TooLong:
        return 'more than {} s'.format(SECONDS)
    except Exception as error:
        return '{}: {!a:.300}'.format(type(error).__name__, str(error))
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def limit_memory():
    """Limit the address space of this process."""
    with open('/proc/self/statm') as stream:
        used = int(stream.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MOST_MIB * MIB, resource.RLIM_INFINITY))


def fuzz(kind, use, count, seed):
    """Use cases of a kind; return the counts and the findings {number: text}."""
    found = {'kind': kind, 'seed': seed, 'accepted': 0, 'refused': 0, 'findings': {}}
    signal.signal(signal.SIGVTALRM, _end_case)
    for number in range(count):
        with open(os.path.join(tempfile.gettempdir(), 'pose_ros_fuzz_{}'.format(os.getpid())),
                  'w') as stream:
            stream.write(str(number))
        outcome = run_case(use, random.Random('{} {} {}'.format(kind, seed, number)))
        if outcome in found:
            found[outcome] += 1
        else:
            found['findings'][number] = outcome
    os.remove(os.path.join(tempfile.gettempdir(), 'pose_ros_fuzz_{}'.format(os.getpid())))
    found['peak_mib'] = peak_kib() // 1024
    return found


def peak_kib():
    """Return the most memory that this process had; ru_maxrss begins with that of its parent."""
    with open('/proc/self/status', encoding='ascii') as stream:
        return next(int(line.split()[1]) for line in stream if line.startswith('VmHWM:'))


def main(kind, count, seed='0'):
    """Run the cases of a kind, and print the result."""
    with tempfile.TemporaryDirectory() as folder, _quiet():
        cases = Cases(folder)
        limit_memory()
        found = fuzz(kind, getattr(cases, kind), int(count), seed)
    print(json.dumps(found))
    return 1 if found['findings'] else 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
