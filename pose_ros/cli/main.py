# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The `pose-ros` command line."""
from pose_ros.core.command import Program
from pose_ros.core.version import VERSION

COMMANDS = {
    'image': 'find people in images and folders of images',
    'video': 'find people in a video file',
    'camera': 'find people in the images of a camera, live',
    'bag': 'find people in the images of a ROS 2 bag, and write a bag with them',
    'batch': 'find people in many images, videos and bags, on all cores or a cluster',
    'view': 'show the people of a camera or file on a web page, live',
    'bench': 'time a model on this machine, stage by stage',
    'doctor': 'check what this machine can run, and how to install what is missing',
    'adopt': 'give a public network a card, so that every command takes it',
    'models': 'list the models that have names: bundled ones and public networks',
    'fetch': 'fetch a public network by its name, with its card',
    'info': 'describe a model: its card, tensors and settings',
    'build-engine': 'build the TensorRT engine of a model',
    'engines': 'list or remove the cached TensorRT engines',
}

_DESCRIPTION = 'Human pose estimation without ROS: people in images, videos, cameras and bags.'
_EPILOG = """examples:
  pose-ros doctor                                    check what this machine can run
  pose-ros image photo.jpg --output people.jpg       draw the people of one image
  pose-ros image folder/ --json people.json          write the people of many images as JSON
  pose-ros video walk.mp4 --output walk_people.avi   draw the people of a video
  pose-ros bench --backend onnxruntime               measure the speed of this machine
  pose-ros COMMAND --help                            all options of one command, with examples

exit codes: 0 done; 1 an input or the model failed; 2 the command line is wrong; 130 interrupted
"""

_PROGRAM = Program('pose-ros', 'pose_ros.cli', VERSION, _DESCRIPTION, _EPILOG, COMMANDS,
                   '`pose-ros doctor` prints what to install',
                   {'build-engine': 'build_engine'})
build_parser = _PROGRAM.build_parser


def main(argv=None) -> int:
    """Run one command (None: the process's arguments); return its exit code."""
    return _PROGRAM.main(argv)


if __name__ == '__main__':
    raise SystemExit(main())
