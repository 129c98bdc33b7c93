# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-train pairwise`: how a part_pairwise network tells people apart."""
from tqdm import tqdm

from pose_ros.core.command_files import check_outputs, write_json
from pose_training.checkpoint import load_checkpoint
from pose_training.cli.options import add_export_options, check_export, report, write_network
from pose_training.data.annotations import read_dataset
from pose_training.errors import ConfigError
from pose_training.models.pair_tables import ordered
from pose_training.pairwise.graph import ALL, find_pairs
from pose_training.pairwise.samples import FEWEST, PairSamples

DESCRIPTION = ('Train the logistic models of a part_pairwise network: each tells from two '
               'detections, and from the vectors that the network predicts at them, whether they '
               'are of one person. The network runs on labelled images of several people, and its '
               'own detections near labels are the examples. Do this after the training and '
               'before the export: without models each keypoint is a person of its own.')
EPILOG = """examples:
  pose-train pairwise network.pt --data train.json -o people.onnx
  pose-train pairwise network.pt --data train.json -o people.pt --json pairs.json
  pose-train pairwise network.pt --data train.json -o people.onnx --pairs pose_cfg.yaml

--json writes the statistics of the vectors between keypoints in the dataset, at the size of the
network input, and of each model the number of examples and its accuracy (.5 is chance).
"""


def add_arguments(parser) -> None:
    """Add the options of this command."""
    parser.add_argument('checkpoint', metavar='CHECKPOINT', help='a .pt or .ckpt file')
    parser.add_argument('--data', nargs='+', required=True, metavar='PATH',
                        help='COCO keypoint files')
    parser.add_argument('--image-folder', metavar='FOLDER', default='',
                        help="folder of the images (default: that of each dataset's file)")
    parser.add_argument('--pairs', metavar='WHICH', default=ALL,
                        help='pairs of keypoints: all, limbs, or a YAML or JSON file with a list '
                             'of them or a sparse_graph (default: %(default)s)')
    parser.add_argument('--radius', type=float, default=17., metavar='PX',
                        help='a detection is of a label within this distance in the network '
                             'input (default: %(default)s)')
    parser.add_argument('--json', metavar='FILE', help='write the statistics and the models to a '
                        'JSON file; - is stdout')
    add_export_options(parser)


def run(args) -> int:
    """Train the models, and write the network with them; return the exit code."""
    check_export(args, [args.checkpoint, *args.data])
    check_outputs({'--json': args.json}, [args.checkpoint, args.output, *args.data])
    network, provenance = load_checkpoint(args.checkpoint)
    topology = network.family.topology
    if not args.radius > 0:
        raise ConfigError('--radius: {} is not above 0'.format(args.radius))
    collected = PairSamples(network, find_pairs(args.pairs, topology), args.size, args.radius)
    for path in args.data:
        collected.add(read_dataset(path, topology, images=args.image_folder), path,
                      lambda items: tqdm(items, 'images', leave=False, disable=None))
    models = collected.models()
    for (first, second), model in models.items():
        network.pairs.set_model(first, second, model.low, model.high, model.weights)
    _tell(collected, models, topology)
    if args.json:
        write_json(args.json, _facts(collected, models, topology), indent=2)
    write_network(network, {**provenance, 'pairs_trained_on': list(args.data)}, args)
    return 0


def _tell(collected, models, topology):
    report('{} models; right for {:.1%} of the examples on average'.format(
        len(models), sum(model.accuracy for model in models.values()) / len(models)))
    rare = [pair for pair in collected.pairs if pair not in models]
    if rare:
        report('{} pairs have no model, such as {} and {}: they have fewer than {} examples of '
               'one person or of two'.format(len(rare), *(
                   topology.keypoint_names[end] for end in rare[0]), FEWEST))


def _facts(collected, models, topology):
    """Return statistics and models as JSON data."""
    mean, deviation, count = collected.statistics.result()
    names, keypoints = topology.keypoint_names, topology.size
    vectors = [{'from': names[a], 'to': names[b], 'mean': mean[p].tolist(),
                'deviation': deviation[p].tolist(), 'count': int(count[p])}
               for a in range(keypoints) for b in range(keypoints) if a != b
               for p in (ordered(a, b, keypoints),)]
    return {'vectors': vectors, 'pairs': [
        {'keypoints': [names[end] for end in pair],
         **dict(zip(('one_person', 'two_people'), collected.counts(pair))),
         'accuracy': models[pair].accuracy if pair in models else None}
        for pair in collected.pairs]}
