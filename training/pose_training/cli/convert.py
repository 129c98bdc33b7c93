# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-train convert`: turn datasets of other formats into COCO keypoint files."""
import argparse
import importlib
import textwrap

DESCRIPTION = ('Turn a dataset of another format into a COCO keypoint file, which all commands '
               'read. What is left out is counted, with the reason. Inputs are never changed.')
EPILOG = """Each kind has options of its own: pose-train convert KIND --help. Look at the image
that --check writes before you train: it shows whether keypoints, sides and offsets are right.
"""
# Each module has `add_arguments(parser)`, `run(options) -> exit code`, and a DESCRIPTION.
KINDS = {
    'mpii': 'pose_training.convert.mpii',
    'posetrack': 'pose_training.convert.posetrack',
    'freihand': 'pose_training.convert.freihand',
    '300w': 'pose_training.convert.face_300w',
    'labels-txt': 'pose_training.convert.labels_txt',
    'deeplabcut': 'pose_training.convert.deeplabcut',
}


def add_arguments(parser) -> None:
    """Add the kinds, with the options of each."""
    children = parser.add_subparsers(dest='kind', metavar='KIND', title='kinds', required=True)
    for kind, name in KINDS.items():
        module = importlib.import_module(name)
        description = getattr(module, 'DESCRIPTION', module.__doc__)
        child = children.add_parser(kind, help=description.split('. ')[0].rstrip('.'),
                                    description=textwrap.fill(description, 79),
                                    epilog=getattr(module, 'EPILOG', None),
                                    formatter_class=argparse.RawDescriptionHelpFormatter)
        module.add_arguments(child)
        child.set_defaults(convert=module.run)


def run(options) -> int:
    """Convert; return the exit code."""
    return options.convert(options)
