# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Random damage to bags, for test/fuzz.py; damage that is found counts as a refusal."""
import os
from pathlib import Path

import bag_files
from mutation import changed_bytes

from pose_ros.core.bags.cameras import find_cameras
from pose_ros.core.bags.definitions import BagTypes
from pose_ros.core.bags.reader import Bag, BagError
from pose_ros.core.errors import PoseRosError

_MOST_PIXELS = 1 << 16


class BagCases:
    """Makes bags of two cameras in each storage, and reads changed ones."""

    def __init__(self, folder):
        self._types, self._seeds = BagTypes(), []
        self._path = os.path.join(folder, 'case')
        image = bag_files.blue(width=24, height=16)
        messages = [(topic, number * bag_files.STEP, kind(image, bag_files.START))
                    for number in range(6) for topic, kind in (
                        ('/a/image', bag_files.raw), ('/b/compressed', bag_files.compressed))]
        for storage, ending in bag_files.ENDINGS.items():
            path = bag_files.write_bag(Path(folder) / storage, messages, storage)
            self._seeds.append((ending, path.read_bytes()))
        path = bag_files.write_bag(Path(folder) / 'packed', messages, 'mcap', 'STORAGE')
        self._seeds.append(('.mcap', path.read_bytes()))

    def read(self, chance):
        """Read a changed bag, and decode its images."""
        ending, content = chance.choice(self._seeds)
        path = self._path + ending
        with open(path, 'wb') as stream:
            stream.write(changed_bytes(content, chance))
        faults = []
        with Bag(path) as bag:
            for topic in bag.topics:
                self._types.completed(topic)
            cameras = {camera.topic: camera for camera in find_cameras(
                bag, [], self._types, _MOST_PIXELS)}
            for stored in bag.messages(set(cameras)):
                camera = cameras[stored.topic]
                try:
                    camera.frame(camera.message(stored), 0)
                except PoseRosError as error:
                    faults.append(str(error))
            if bag.damage or faults:
                raise BagError('; '.join(bag.damage + faults))
