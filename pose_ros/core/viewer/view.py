# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""View: what the page shows of one camera. One thread fills it, the server's reads it."""
import collections
import threading
import time
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

import cv2
import numpy as np

from pose_ros.core.errors import ImageError, shown

_HISTORY = 120  # samples
_EARLY = 0.25  # of a period: images of a camera at exactly the rate scatter around their times
_LONGEST = 500  # characters of a text on the page
OK, WARNING, ERROR = 'ok', 'warning', 'error'


class Person(NamedTuple):
    """One row of the table: id (-1: none), score in [0, 1], keypoints found and all."""

    track_id: int
    score: float
    found: int
    keypoints: int


class Sample(NamedTuple):
    """One point of the charts; NaN where unknown.

    Frames per second, latency [s], frames per second that were dropped or lost, people.
    """

    rate: float
    latency: float
    dropped: float
    people: float


class View:
    """The newest drawing, the people, charts and problems of one camera.

    `on_watched(view)` is called by the server's thread when the first viewer comes and when the
    last one leaves.
    """

    def __init__(self, name: str, values: Dict[str, Any]):
        """Take the name of the camera, and the values of VIEWER_PARAMETERS."""
        self.name = name
        self.on_watched: Callable[['View'], None] = lambda view: None
        self.on_image: Callable[['View'], None] = lambda view: None
        self.check: Callable[[], str] = lambda: ''  # a problem that shows by what does not come
        self._period, self._width = 1.0 / values['rate'], values['max_width']
        self._quality = values['jpeg_quality']
        self._watchers, self._someone = 0, threading.Event()
        self._next = 0.0
        self._since: Optional[float] = None  # of the newest drawing, or of the first viewer
        self._image: Tuple[int, bytes] = (0, b'')
        self._people: List[Person] = []
        self._samples: 'collections.deque' = collections.deque(maxlen=_HISTORY)
        self._source = ''
        self._level, self._problems = OK, []  # type: Tuple[str, List[str]]
        self._lock = threading.Lock()

    @property
    def watched(self) -> bool:
        """Return whether a viewer looks."""
        return self._someone.is_set()

    def wait(self, seconds: Optional[float] = None) -> bool:
        """Wait until a viewer looks, at most so long; return whether one does."""
        return self._someone.wait(seconds)

    def enter(self) -> None:
        """Count a viewer that comes."""
        with self._lock:
            self._watchers += 1
            first = self._watchers == 1
            if first:
                self._since, self._people = time.monotonic(), []
                self._image = (self._image[0], b'')  # an old image would pass for a live one
                self._someone.set()
        if first:
            self.on_watched(self)

    def leave(self) -> None:
        """Count a viewer that leaves."""
        with self._lock:
            self._watchers -= 1
            last = not self._watchers
            if last:
                self._someone.clear()
        if last:
            self.on_watched(self)

    def wants_image(self) -> bool:
        """Return whether a drawing is due: a viewer looks, and the rate allows it."""
        return self.watched and time.monotonic() >= self._next - _EARLY * self._period

    def show(self, image: np.ndarray) -> None:
        """Encode a drawing (H, W, 3) uint8 BGR for all viewers; ImageError if that fails."""
        now = time.monotonic()
        self._next = (self._next if now - self._next < self._period else now) + self._period
        height, width = image.shape[:2]
        if self._width and width > self._width:
            size = self._width, max(1, int(round(height * self._width / float(width))))
            # Averaging an area costs five times as much, and only shows where much is left out.
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA if width > 2 * self._width
                               else cv2.INTER_LINEAR)
        done, data = cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, self._quality])
        if not done:
            raise ImageError('an image of shape {} cannot be encoded as JPEG'.format(image.shape))
        with self._lock:
            self._image = (self._image[0] + 1, data.tobytes())
            self._since = time.monotonic()
        self.on_image(self)

    def image(self) -> Tuple[int, bytes]:
        """Return the number of the newest drawing and its JPEG data, empty before the first."""
        return self._image

    def list_people(self, people: Sequence[Person]) -> None:
        """Replace the table of people."""
        self._people = list(people)

    def add_sample(self, sample: Sample) -> None:
        """Add a point to the charts."""
        with self._lock:
            self._samples.append((time.monotonic(), sample))

    def report(self, source: str, level: str = OK, problems: Sequence[str] = ()) -> None:
        """Replace the line that names model and engine, and the problems with their level."""
        self._source = shown(source, _LONGEST)
        self._level, self._problems = level, [shown(text, _LONGEST) for text in problems]

    def state(self) -> Dict[str, Any]:
        """Return all but the drawing, ready for JSON; times are ages in seconds."""
        now = time.monotonic()
        with self._lock:
            samples, since, shows = list(self._samples), self._since, bool(self._image[1])
        missing = self.check()
        silence = now - since if self.watched and since is not None else None
        return {
            'name': self.name, 'source': self._source, 'image': shows,
            'level': ERROR if missing else self._level,
            'problems': self._problems + ([missing] if missing else []),
            'silence': _rounded(silence, 1),
            'people': [{'id': person.track_id, 'score': _rounded(person.score, 3),
                        'found': person.found, 'keypoints': person.keypoints}
                       for person in self._people],
            'samples': [[_rounded(now - at, 1), _rounded(sample.rate, 1),
                         _rounded(1e3 * sample.latency, 1), _rounded(sample.dropped, 1),
                         _rounded(sample.people, 1)]
                        for at, sample in samples]}


def _rounded(value, digits):
    return None if value is None or not np.isfinite(value) else round(float(value), digits)
