# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The estimator with the toy family: python toy_estimator.py FOLDER_OF_ITS_FILE ..."""
import sys

from pose_ros.core.decoders import DECODERS
from pose_ros.nodes import estimator

if __name__ == '__main__':
    sys.path.insert(0, sys.argv.pop(1))
    DECODERS['toy'] = ('toy_decoder', 'ToyDecoder')
    sys.exit(estimator.main())
