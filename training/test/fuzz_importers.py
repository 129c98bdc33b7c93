# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Random damage to weight files of every format, with limits on memory and time.

    python fuzz_importers.py COUNT [SEED]

The files are those of small networks or of few layers, so that most damage reaches the readers. A
finding is an error that is not one of this project, or a file that needs too much CPU time; the
process ends if it needs more than 2 GiB of address space above that at its start. Prints one line
of JSON; exit code 1 for findings.
"""
import io
import json
from pathlib import Path
import sys
import tempfile

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / 'test')]

import numpy as np  # noqa: E402
import torch  # noqa: E402

import bombs  # noqa: E402
import caffe_files  # noqa: E402
import cpm_files  # noqa: E402
from fuzz import fuzz, limit_memory  # noqa: E402
from mutation import changed_bytes, changed_value  # noqa: E402
from pose_training.checkpoint import checkpoint_data, load_checkpoint  # noqa: E402
from pose_training.exporters.export import export, ExportOptions  # noqa: E402
from pose_training.importers.formats import import_network  # noqa: E402
from pose_training.models import create_model  # noqa: E402
import tf_tables  # noqa: E402

SMALL = {'widths': [4, 4, 8, 8, 8], 'depths': [1, 1, 1, 1, 1], 'neck': 8, 'head': 8, 'stages': 1}
WEIGHT = np.arange(3 * 3 * 3 * 4, dtype=np.float32).reshape(3, 3, 3, 4)


class Files:
    """One method per format: writes a changed file, and reads it."""

    def __init__(self, folder):
        self._folder = folder
        self._network = create_model('repvgg_fpn', **SMALL).eval()
        path = folder / 'network.onnx'
        export(self._network, str(path), ExportOptions(size=(64, 64)))
        self._onnx = path.read_bytes()
        self._ir = Path(bombs.openvino(folder, 64, 3, 2)).read_bytes()
        self._graph = bombs.graph('Openpose/a')
        bombs.add_constant(self._graph, 'Openpose/a', WEIGHT)
        self._prototxt = caffe_files.prototxt(caffe_files.NETWORKS['hand']).encode()
        self.formats = [self.npy, self.pickle, self.caffe, self.prototxt, self.graph,
                        self.text_graph, self.index, self.torch, self.old_torch, self.checkpoint,
                        self.classifier, self.onnx, self.openvino, self.options]

    def __call__(self, chance):
        """Write and read a file of a random format."""
        chance.choice(self.formats)(chance)

    def _read(self, form, network, name, content, **options):
        path = self._folder / name
        path.write_bytes(content)
        import_network(form, str(path), network, **options)

    def npy(self, chance):
        """Read a changed .npy."""
        self._read('npy', 'cmu', 'a.npy', changed_bytes(bombs.npy(
            {'conv1_1': {'weights': WEIGHT, 'biases': WEIGHT[0, 0, 0]}}), chance))

    def pickle(self, chance):
        """Read a changed pickle of Python 2."""
        content = cpm_files.python_2({'conv1_1': WEIGHT, 'conv1_1_b': WEIGHT[0, 0, 0]},
                                     chance.choice((0, 2)))
        self._read('pickle', 'cpm_hand', 'a.pkl', changed_bytes(content, chance))

    def caffe(self, chance):
        """Read a changed .caffemodel."""
        blob = bombs.field(5, WEIGHT.tobytes()) + bombs.field(7, b'\x0a\x04\x04\x03\x03\x03')
        layer = bombs.field(1, b'conv1_1') + bombs.field(7, blob) + bombs.field(7, b'')
        self._read('caffe', 'cmu', 'a.caffemodel', changed_bytes(
            bombs.field(100, layer) * 3, chance))

    def prototxt(self, chance):
        """Read a changed .prototxt."""
        path = self._folder / 'a.prototxt'
        path.write_bytes(changed_bytes(self._prototxt, chance))
        self._read('caffe', 'hand', 'a.caffemodel', b'', prototxt=str(path))

    def graph(self, chance):
        """Read a changed binary graph."""
        self._read('tf-graph', 'mobilenet_thin', 'a.pb', changed_bytes(
            self._graph.SerializeToString(), chance))

    def text_graph(self, chance):
        """Read a changed text graph."""
        self._read('tf-graph', 'mobilenet_thin', 'a.pbtxt', changed_bytes(
            str(self._graph).encode(), chance))

    def index(self, chance):
        """Read a checkpoint of which the index or the data is changed, without or with sums."""
        prefix = self._folder / 'model'
        tf_tables.write_checkpoint(prefix, {'Mobilenet/Conv2d_0/weights': WEIGHT,
                                            'Mobilenet/Conv2d_0/biases': WEIGHT[0, 0, 0]}, 1)
        if chance.random() < .5:
            entry = tf_tables.entry(WEIGHT)
            rows = {b'': b'\x08\x01', b'A/weights': changed_bytes(
                entry.SerializeToString(), chance), changed_bytes(b'B/weights', chance): b''}
            content = tf_tables.table(rows)
        else:
            content = changed_bytes(Path(str(prefix) + '.index').read_bytes(), chance)
        self._read('tf-checkpoint', 'mobilenet_thin', 'model.index', content)

    def _saved(self, chance, old):
        data = {'conv1_1.weight': torch.from_numpy(WEIGHT), 'more': [1, (2., 'text')],
                'conv1_1.bias': torch.zeros(4).expand(chance.choice((4, 4, 4)))}
        self._read('torch', 'cmu', 'a.pth', changed_bytes(bombs.pth(data, old), chance))

    def torch(self, chance):
        """Read a changed .pth, a zip file; half of them with a changed list of tensors only."""
        if chance.random() < .5:
            self._saved(chance, False)
        else:
            self._read('torch', 'cmu', 'a.pth', bombs.pth_with(changed_bytes(
                bombs._tensor_pickle(4), chance)))

    def old_torch(self, chance):
        """Read a changed .pth of PyTorch 0.4."""
        self._saved(chance, True)

    def checkpoint(self, chance):
        """Read a checkpoint of this project with a changed entry."""
        data = checkpoint_data(self._network, {'ap': .5, 'data': ['coco']})
        state = data.pop('state_dict')
        data = changed_value(data, chance)
        if isinstance(data, dict):
            name = chance.choice(sorted(state))
            data['state_dict'] = {**state, name: chance.choice((
                state[name], state[name].double(), state[name] * float('nan'),
                state[name].reshape(-1)[:1], torch.zeros(1).expand(10 ** 9),
                state[name].to(torch.int8), 'text', None))}
        path = str(self._folder / 'a.pt')
        torch.save(data, path)
        if chance.random() < .5:
            load_checkpoint(path)
        else:
            import_network('torch', path, 'repvgg_fpn')

    def classifier(self, chance):
        """Read a changed classifier."""
        stream = io.BytesIO()
        torch.save({'_conv_stem.weight': torch.zeros(32, 3, 3, 3)}, stream)
        self._read('efficientnet-lite', 'lite_pose_crop', 'a.pth', changed_bytes(
            stream.getvalue(), chance))

    def onnx(self, chance):
        """Read a changed ONNX file; the weights are most of it."""
        content, end = self._onnx, chance.choice((2000, 6000, len(self._onnx)))
        content = content[:-end] + changed_bytes(content[-end:], chance)
        self._read('onnx', 'repvgg_fpn', 'network.onnx', content)

    def openvino(self, chance):
        """Read a changed .xml."""
        (self._folder / 'a.bin').write_bytes(bytes(64))
        self._read('openvino', 'human_pose_estimation_0001', 'a.xml', changed_bytes(
            self._ir, chance))

    def options(self, chance):
        """Build networks of changed options."""
        name, options = chance.choice((
            ('repvgg_fpn', SMALL), ('lite_pose_crop', {'width': .5, 'neck': [8, 8, 8, 8],
                                                       'dense': [True, True, False, False]}),
            ('lite_person_detector', {'width': .5, 'neck': 8}), ('cmu', {'stages': 1}),
            ('mobilenet_thin', {'width': .5, 'head_width': .5, 'stages': 1}),
            ('trt_pose_resnet18', {'backbone': 'resnet18', 'attention': True})))
        changed = changed_value(options, chance)
        if isinstance(changed, dict):
            with torch.device('meta'):
                create_model(name, **{key: value for key, value in changed.items()
                                      if key not in ('name', 'topology')})


def main(count, seed='0'):
    """Run the cases, and print the result."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        files = Files(Path(folder))
        limit_memory()
        found = fuzz('importers', files, int(count), seed)
    print(json.dumps(found))
    return 1 if found['findings'] else 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
