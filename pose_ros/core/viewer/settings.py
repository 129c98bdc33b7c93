# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The settings of the viewer, for the node and the command."""
from pose_ros.core.parameters import Parameter

VIEWER_PARAMETERS = (
    Parameter('address', '127.0.0.1', 'Address to listen on; 127.0.0.1 is this computer alone, '
              '0.0.0.0 lets every computer of the network look, without a password'),
    Parameter('port', 8080, 'Port of the page; 0 takes a free one', 0, 65535),
    Parameter('max_viewers', 4, 'Most browsers that look at the same time', 1, 64),
    Parameter('rate', 10.0, 'Most images per second that are sent', 0.1, 60.0, unit='Hz'),
    Parameter('max_width', 960, 'Wider images are sent at this width; 0 sends all as they are',
              0, 16384, unit='px'),
    Parameter('jpeg_quality', 80, 'Quality of the images', 1, 100),
)
