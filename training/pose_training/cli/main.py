# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The `pose-train` command line."""
from pose_ros.core.command import Program
from pose_ros.core.version import VERSION

COMMANDS = {
    'view': 'draw training crops, to check them',
    'label': 'find people in images without labels and write them as a dataset',
    'add-boxes': 'complete the boxes of a dataset by detectors',
    'lone-hands': 'make images of hands without people, for a detector',
    'convert': 'turn datasets of other formats into COCO keypoint files',
    'clean': 'check the labels of a dataset with a trained network',
    'fit': 'train a network',
    'pack': 'write the images of a configuration to two files for fit-packed',
    'fit-packed': 'train on one device, within a given time',
    'distill': 'train a network on labels and on the outputs of other networks',
    'pairwise': 'train how a part_pairwise network tells people apart, on its own detections',
    'average': 'average the weights of checkpoints',
    'evaluate': "measure a model on labelled images, with the robot's engine and decoder",
    'import': 'turn published weights of another system into an ONNX file',
    'export': 'turn a checkpoint into an ONNX file',
    'verify': 'check an exported file, and compare its outputs with those of its network',
    'models': 'list the networks, their cost, and where their weights are published',
    'info': 'describe an ONNX file, a checkpoint or a weight file',
}

_DESCRIPTION = 'Train, import and export the networks of pose_ros, offline.'
_EPILOG = """examples:
  pose-train models                                            list the networks
  pose-train import caffe pose_iter_584000.caffemodel --model body_25 -o body_25.onnx
  pose-train import tf-graph graph_opt.pb --model mobilenet_thin -o thin.onnx --precision fp16
  pose-train export network.pt -o model.onnx --size 448x352
  pose-train verify model.onnx                               check the file
  pose-train COMMAND --help                                    all options of one command

exit codes: 0 done; 1 a file or a network failed; 2 the command line is wrong; 130 interrupted
"""
_PROGRAM = Program('pose-train', 'pose_training.cli', VERSION, _DESCRIPTION, _EPILOG, COMMANDS,
                   'install it with `pip install ./training`',
                   {'import': 'import_', 'fit-packed': 'fit_packed',
                    'add-boxes': 'add_boxes', 'lone-hands': 'lone_hands'})
build_parser = _PROGRAM.build_parser


def main(argv=None) -> int:
    """Run one command (None: the process's arguments); return its exit code."""
    return _PROGRAM.main(argv)


if __name__ == '__main__':
    raise SystemExit(main())
