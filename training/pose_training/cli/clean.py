# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-train clean`: check the labels of a dataset with a trained network."""
import argparse
import os

from tqdm import tqdm

from pose_ros.core.card_files import load_card
from pose_ros.core.command_files import check_outputs, report_stream, write_json
from pose_ros.core.command_options import with_companions
from pose_training.data.coco import load_coco
from pose_training.distillation.cleaning import clean, LabelChecker
from pose_training.distillation.teacher_networks import CHECKPOINTS, checkpoint_card
from pose_training.distillation.teacher import Teacher
from pose_training.errors import DataError
from pose_training.families.registry import make_family

DESCRIPTION = ('Find wrong labels with a trained network. It runs on a crop of each labelled '
               'person. If its heatmaps agree with the labels, the labels stay. If they clearly '
               'agree better after exchanging left and right, the labels are mirrored. If they '
               'agree with neither, the person is marked as unlabelled.')
EPILOG = """examples:
  pose-train clean lsp.json --teacher body_25.onnx -o lsp_clean.json
  pose-train clean train.json --images train2017 --teacher intel.xml --card intel.json -o c.json

The agreement of a person is the mean of the heatmaps at the labelled keypoints, 0 to 1. The output
is a COCO file; its file names are relative to its own folder. Images in which no labelled person
remains are left out. Check the result with `pose-train view --data`.
"""


def add_arguments(parser) -> None:
    """Add the options of this command."""
    parser.add_argument('data', metavar='DATA', help='COCO keypoint file')
    parser.add_argument('--teacher', required=True, metavar='MODEL',
                        help='trained network: .onnx, OpenVINO .xml, or a checkpoint (.pt)')
    parser.add_argument('--card', metavar='FILE', help="model card that replaces the model's own")
    parser.add_argument('-o', '--output', required=True, metavar='FILE',
                        help='the file to write (.json)')
    parser.add_argument('--images', metavar='FOLDER',
                        help="folder of the images (default: the dataset's)")
    parser.add_argument('--least', type=_share, default=.12, metavar='SHARE',
                        help='agreement below which labels are dropped (default: 0.12)')
    parser.add_argument('--backend', default='auto', metavar='NAME',
                        help='engine that runs the teacher (default: auto)')


def run(args) -> int:
    """Write the cleaned dataset, and print the outcomes of its people; return the exit code."""
    folder = os.path.dirname(os.path.abspath(args.output))
    check_outputs({'-o': args.output},
                  [args.data, args.card, *with_companions([args.teacher])], ['-o'])
    judge, topology = _judge(args)
    file = load_coco(args.data, topology,
                     os.path.abspath(args.images or os.path.dirname(args.data)))
    cleaned = clean(file, judge, topology, args.least, folder,
                    lambda items: tqdm(items, 'images', disable=None))
    write_json(args.output, cleaned.data)
    text = report_stream(args.output)
    print('\n'.join(_table(cleaned)), file=text)
    print('wrote {}: {} images'.format(args.output, len(cleaned.data['images'])), file=text)
    return 0


def _judge(args):
    """Return the label checker, and its topology."""
    if args.teacher.lower().endswith(CHECKPOINTS) and not args.card:
        card = checkpoint_card(args.teacher)
    else:
        card = load_card(args.teacher, args.card)
    if card.topology is None:
        raise DataError('the teacher {} is a detector: labels of keypoints need a teacher with '
                        'keypoints'.format(args.teacher))
    topology, size = card.topology, (card.input.width, card.input.height)
    family = make_family(card.decoder.type, topology)
    stride = family.teacher_channels(card, args.teacher).stride
    teacher = Teacher(args.teacher, size, family, stride, args.card, args.backend)
    return LabelChecker(teacher, family, size, stride), topology


def _table(cleaned):
    total = max(1, sum(cleaned.counts.values()))
    words = {'label': 'kept', 'mirror': 'mirrored', 'drop': 'dropped',
             'unjudged': 'kept unchecked: the teacher has none of their keypoints'}
    for outcome, number in cleaned.counts.items():
        yield '{:>7}{:>7.1%}  {}'.format(number, number / total, words[outcome])
    yield '{:>7} images left out'.format(cleaned.left_out)


def _share(text):
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError('{} is not between 0 and 1'.format(text))
    return value
