# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Video files and cameras, through OpenCV's VideoCapture."""
import glob
import math
import os
import re
import threading
import time
from typing import Any

import cv2
import numpy as np

from pose_ros.core.errors import ImageError
from pose_ros.core.files import natural_key
from pose_ros.core.image_size import MAX_PIXELS, size_fault
from pose_ros.core.sources.source import ASSUMED_RATE, FrameSource

_TIMEOUT = 5.0  # s without a frame until a camera is treated as lost


_PROBED = 100  # frames of a file whose times show a variable rate
_MOST_UNEVEN = 1.25  # densest frames to the mean: more than cameras and clocks scatter
_HIGHEST_RATE = 120.0  # Hz of a variable rate


def _frame_rate(capture):
    rate = capture.get(cv2.CAP_PROP_FPS)
    return rate if math.isfinite(rate) and 0 < rate <= 1000 else None


def _size(capture):
    """Return (width, height) by the header, 0 if unknown."""
    return tuple(max(0, int(capture.get(side))) for side in (
        cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))


def _check_size(name, size, max_pixels):
    fault = size_fault(size, max_pixels)
    if fault:
        raise ImageError('{} {}'.format(name, fault))


def _densest_rate(capture):
    """Return the rate of a file that was just opened [Hz]; of a variable one its highest."""
    rate, stamps = _frame_rate(capture), []
    while len(stamps) < _PROBED and capture.grab():
        stamps.append(capture.get(cv2.CAP_PROP_POS_MSEC) / 1e3)
    gaps = np.diff(stamps)
    gaps = gaps[gaps > 0]
    dense = 1 / np.percentile(gaps, 10) if len(gaps) else 0.0
    if rate and dense <= _MOST_UNEVEN * rate:
        return rate
    return min(round(float(dense), 3), _HIGHEST_RATE) or None


class VideoFile(FrameSource):
    """The frames of a video file, with the times that the file gives them.

    frame_rate: of a file of variable rate, the rate of its densest frames.
    """

    _capture: Any = None
    _now, _first, _offset, _position = 0.0, 0.0, 0.0, 0
    _grabbed = False

    def __init__(self, path: str, loop=False, size=None, rate=None, max_pixels=MAX_PIXELS):
        """Open the file; ImageError if OpenCV cannot read it, or its images are too large."""
        self._max_pixels = max_pixels
        super(VideoFile, self).__init__(loop, size)
        self._path = path
        self._rewind()
        self.frame_rate = _densest_rate(self._capture)
        self._rewind()
        count = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        self.frame_count = int(count) if math.isfinite(count) and count > 0 else None

    @staticmethod
    def accepts(spec: str) -> bool:
        """Whether it is a file; OpenCV then checks its content."""
        return os.path.isfile(spec)

    def describe(self) -> str:
        """Return path, length and rate."""
        return 'video {} ({} frames, {} Hz)'.format(
            self._path, self.frame_count or 'unknown number of',
            '{:g}'.format(self.frame_rate) if self.frame_rate else 'unknown')

    def close(self) -> None:
        """Close the file."""
        self._capture.release()

    def next_time(self):
        """See FrameSource.next_time."""
        return self._now if self._repeat(self._grab) else None

    def _read(self):
        if not self._skip():
            return None
        done, image = self._capture.retrieve()
        if not done:
            return None
        return image, '{}_{:06d}'.format(
            os.path.splitext(os.path.basename(self._path))[0], self._position - 1)

    def _skip(self):
        done, self._grabbed = self._grab(), False
        return done

    def _grab(self):
        """Take the next frame, not decoded yet, unless it is taken already; False at the end."""
        if self._grabbed:
            return True
        self._grabbed = self._capture.grab()
        if self._grabbed:
            self._now = self._stamp()
            self._position += 1
        elif not self._position:
            raise self._unreadable('has no frame that')
        return self._grabbed

    def _stamp(self):
        """Return the time of the grabbed frame; without a valid one, a step after the last."""
        stamp = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1e3
        if not self._position:
            self._first = stamp
            return self._offset
        time_s = self._offset + stamp - self._first
        return time_s if time_s > self._now else self._now + self._step()

    def _step(self):
        return 1 / (self.frame_rate or ASSUMED_RATE)

    def _time(self):
        return self._now

    def _rewind(self):
        if self._position:
            self._offset = self._now + self._step()
        # Seeking to frame 0 is inexact in some containers; opening again is not.
        if self._capture is not None:
            self._capture.release()
        self._capture, self._position = cv2.VideoCapture(self._path), 0
        if not self._capture.isOpened():
            raise self._unreadable('is not a video or image that')
        width, height = _size(self._capture)
        if not (width and height):  # a still image: its decoder would find its size too late
            raise self._unreadable('has no size in its header that')
        _check_size('video ' + self._path, (width, height), self._max_pixels)

    def _unreadable(self, what):
        return ImageError(
            '{} {} OpenCV {} can read; convert it, for example with: ffmpeg -i {} -c:v mjpeg -q:v '
            '3 converted.avi'.format(self._path, what, cv2.__version__, self._path))


class Camera(FrameSource):
    """A camera (0, /dev/video0) or stream (rtsp://...): always its newest frame."""

    live = True
    _DEVICE = re.compile(r'/dev/video(\d+)$')

    def __init__(self, spec: str, loop=False, size=None, rate=None, max_pixels=MAX_PIXELS):
        """Open the device and request size and rate; ImageError names what was tried."""
        super(Camera, self).__init__(False, size)
        self._name = spec
        self._capture = cv2.VideoCapture(self._device(spec))
        if not self._capture.isOpened():
            raise ImageError(self._absent())
        for setting, value in ((cv2.CAP_PROP_FRAME_WIDTH, self._size[0]),
                               (cv2.CAP_PROP_FRAME_HEIGHT, self._size[1]),
                               (cv2.CAP_PROP_FPS, rate)):
            if value:
                self._capture.set(setting, value)
        try:
            _check_size(self.describe(), _size(self._capture), max_pixels)
        except ImageError:
            self._capture.release()
            raise
        self.frame_rate = _frame_rate(self._capture)
        self._start = self._now = None
        self._newest = _NewestFrame(self._capture)

    @classmethod
    def accepts(cls, spec: str) -> bool:
        """Whether it is a number, a device or an address."""
        return spec.isdigit() or spec.startswith('/dev/') or '://' in spec

    @classmethod
    def _device(cls, spec):
        """Follow links; return the number of a V4L2 camera, because OpenCV needs it."""
        if spec.isdigit():
            return int(spec)
        match = cls._DEVICE.match(os.path.realpath(spec))
        return int(match.group(1)) if match else spec

    def describe(self) -> str:
        """Return the name of the device."""
        return 'camera {}'.format(self._name)

    def close(self) -> None:
        """Stop reading and free the device."""
        # Releasing while the thread still reads would crash: a hung driver keeps its device.
        if self._newest.stop():
            self._capture.release()

    @property
    def dropped(self):
        """Return how many images were replaced by newer ones before they were read."""
        return self._newest.dropped

    def _read(self):
        found = self._newest.take(_TIMEOUT)
        if found is None:
            raise ImageError(
                'camera {} stopped sending images (waited up to {:g} s): check its cable and '
                'power, and that no other program uses it'.format(self._name, _TIMEOUT))
        image, self._now = found
        self._start = self._now if self._start is None else self._start
        return image, 'camera_{:06d}'.format(self._index)

    def _time(self):
        return self._now - self._start

    def _absent(self):
        device = self._device(self._name)
        tried = device if isinstance(device, str) else '/dev/video{}'.format(device)
        present = ', '.join(sorted(glob.glob('/dev/video*'), key=natural_key)) or 'none'
        return ('cannot open camera {}: tried {}; devices here: {}. It may be unplugged, in use '
                'by another program, or your user may not read it (group video)'.format(
                    self._name, tried, present))


class _NewestFrame:
    """Reads a capture in a thread, so that the queue of the driver stays empty."""

    def __init__(self, capture):
        self._capture, self._frame, self.dropped = capture, None, 0
        self._ended, self._condition = False, threading.Condition()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def take(self, timeout):
        """Wait for a new frame; return (image, monotonic time), or None after the timeout."""
        with self._condition:
            self._condition.wait_for(lambda: self._frame is not None or self._ended, timeout)
            frame, self._frame = self._frame, None
            return frame

    def stop(self):
        """Stop the thread; return whether it has ended."""
        self._ended = True
        self._thread.join(_TIMEOUT)
        return not self._thread.is_alive()

    def _run(self):
        while not self._ended:
            done, image = self._capture.read()
            with self._condition:
                self._ended = self._ended or not done
                if done:
                    self.dropped += self._frame is not None
                    self._frame = image, time.monotonic()
                self._condition.notify()
