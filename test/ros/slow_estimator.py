# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The estimator with an engine that takes 200 ms, for tests of what happens meanwhile."""
import time

from pose_ros.core.engines import factory
from pose_ros.nodes import estimator

ENGINE_TIME = 0.2  # s


def _slow(load):
    def load_slow(*arguments):
        loaded = load(*arguments)
        infer = loaded.infer

        def infer_slowly(batch):
            time.sleep(ENGINE_TIME)
            return infer(batch)
        loaded.infer = infer_slowly
        return loaded
    return load_slow


if __name__ == '__main__':
    factory._load = _slow(factory._load)
    estimator.main()
