# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The image topics of a bag: which they are, and their messages as frames."""
from typing import Any, Collection, Dict, Iterator, List, Optional, Sequence, Tuple

import numpy as np

from pose_ros.core.bags.definitions import BagTypes
from pose_ros.core.bags.reader import Bag, BagError
from pose_ros.core.bags.stored import CAMERA_INFO, COMPRESSED_IMAGE, IMAGE, Stored
from pose_ros.core.camera import is_rectified, Pinhole, pinhole_from_camera_info
from pose_ros.core.errors import ImageError, PoseRosError
from pose_ros.core.frame import Frame
from pose_ros.core.image_messages import decode_compressed, decode_image, marks_depth
from pose_ros.core.samples import SampleDepth

_COMPRESSED = '/compressed'
_RESULTS = '/pose/'  # as in the launch files


class BagCamera:
    """One image topic; `results` begins the names of the topics with what is found."""

    def __init__(self, topic: str, kind: str, results: str, types: BagTypes, max_pixels: int):
        """Take the topic and its type, IMAGE or COMPRESSED_IMAGE."""
        self.topic, self.results, self._kind = topic, results, kind
        self.info_topic = _namespace(topic) + '/camera_info'
        self._pinhole: Optional[Pinhole] = None
        self._types, self._max_pixels, self._depth = types, max_pixels, SampleDepth()
        self._decode: Any = decode_image if kind == IMAGE else decode_compressed

    def calibrate(self, stored: Stored) -> None:
        """Take a camera_info message for the images after it; an invalid one for none."""
        try:
            self._pinhole = pinhole_from_camera_info(
                self._types.decode(stored.data, CAMERA_INFO),
                is_rectified('auto', _without_suffix(self.topic)))
        except PoseRosError:
            self._pinhole = None

    def message(self, stored: Stored):
        """Return an image message with header and data; ImageError if the bytes are none."""
        try:
            return self._types.decode(stored.data, self._kind)
        except PoseRosError as error:
            raise ImageError('{}: {}'.format(self.topic, error))

    def frame(self, message, index: int) -> Frame:
        """Decode a message to a frame with this index; ImageError says what is wrong with it."""
        try:
            image = self._decode(message, self._depth, self._max_pixels)
        except ImageError as error:
            raise ImageError('{}: {}'.format(self.topic, error))
        return self._frame(message, index, image)

    def blank(self, message, index: int, width: int, height: int) -> Frame:
        """Return the frame of a message without its pixels, which takes no memory."""
        return self._frame(message, index, np.broadcast_to(np.uint8(0), (height, width, 3)))

    def _frame(self, message, index, image):
        stamp = message.header.stamp
        seconds = stamp.sec + stamp.nanosec * 1e-9
        name = '{}_{:06d}'.format(self.topic.strip('/').replace('/', '_'), index)
        return Frame(image, seconds or float('nan'), self.topic, self._pinhole, index=index,
                     name=name)


def calibrated_messages(bag: Bag, cameras: Sequence[BagCamera], others: Collection[str] = ()
                        ) -> Iterator[Tuple[Optional[BagCamera], Stored]]:
    """Yield the messages of a bag in the order of time, images with their camera.

    Messages of camera_info, and of the topics `others`, come without one. A camera has the
    calibration that was recorded last, and before that the first one: a driver may send it after
    its image.
    """
    images = {camera.topic: camera for camera in cameras}
    infos: Dict[str, List[BagCamera]] = {}
    for camera in cameras:
        infos.setdefault(camera.info_topic, []).append(camera)
    for topic, calibrated in infos.items():
        first = bag.first(topic)
        if first is not None:
            for camera in calibrated:
                camera.calibrate(first)
    for stored in bag.messages(set(images) | set(infos) | set(others)):
        for camera in infos.get(stored.topic, ()):
            camera.calibrate(stored)
        yield images.get(stored.topic), stored


def find_cameras(bag: Bag, topics: Sequence[str], types: BagTypes,
                 max_pixels: int) -> List[BagCamera]:
    """Return the cameras of the named topics; without names, of all with images of colors.

    Of an image that is there raw and compressed, the raw one is taken. BagError if there are no
    such topics: it lists those that there are.
    """
    kinds = {topic.name: topic.type for topic in bag.topics}
    found = {name: kind for name, kind in kinds.items() if kind in (IMAGE, COMPRESSED_IMAGE)}
    for name in topics:
        if name not in found:
            raise BagError('{} has no image topic {}; {}'.format(bag.path, name, _listed(kinds)))
    chosen = list(dict.fromkeys(topics)) or [
        name for name in found if not _is_twin(name, found)
        and not _has_depth(bag, name, found[name], types)]
    if not chosen:
        raise BagError('{} has no topic with color images; {}'.format(bag.path, _listed(kinds)))
    return [BagCamera(name, found[name], results, types, max_pixels)
            for name, results in _result_names(chosen).items()]


def _listed(kinds):
    return 'its topics: ' + ', '.join('{} ({})'.format(*pair) for pair in sorted(kinds.items()))


def _is_twin(name, found):
    return name.endswith(_COMPRESSED) and name[:-len(_COMPRESSED)] in found


def _has_depth(bag, name, kind, types) -> bool:
    stored = bag.first(name)
    if stored is None:
        return False
    try:
        message = types.decode(stored.data, kind)
    except PoseRosError:
        return False
    return marks_depth(message.encoding if kind == IMAGE else message.format)


def _result_names(topics) -> Dict[str, str]:
    """Return where the results of each image topic go: /pose/ for one, else /pose/CAMERA/."""
    if len(topics) == 1:
        return {topics[0]: _RESULTS}
    names = [_namespace(topic).strip('/') for topic in topics]
    if len(set(names)) < len(names) or '' in names:
        names = [topic.strip('/') for topic in topics]
    return {topic: '{}{}/'.format(_RESULTS, name) for topic, name in zip(topics, names)}


def _namespace(topic):
    return _without_suffix(topic).rpartition('/')[0]


def _without_suffix(topic):
    return topic[:-len(_COMPRESSED)] if topic.endswith(_COMPRESSED) else topic
