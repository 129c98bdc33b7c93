# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The estimator with an engine that takes 200 ms, for tests of what happens meanwhile."""
import time

from pose_ros.core import network
from pose_ros.nodes import estimator

ENGINE_TIME = 0.2  # s


def _slow(create):
    def create_slow(*arguments, **options):
        engine = create(*arguments, **options)
        infer = engine.infer

        def infer_slowly(batch):
            time.sleep(ENGINE_TIME)
            return infer(batch)
        engine.infer = infer_slowly
        return engine
    return create_slow


if __name__ == '__main__':
    network.create_engine = _slow(network.create_engine)
    estimator.main()
