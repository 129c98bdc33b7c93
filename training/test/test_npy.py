# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""tf-pose's .npy files: from file to maps, all forms of writing them, and malicious ones."""
import operator
import os
from pathlib import Path
import pickle
import struct
import subprocess
import tracemalloc

import caffe_files
from damage import damaged, refusals
import numpy as np
import pytest
import torch

from pose_training.errors import WeightsError
from pose_training.importers import npy
from pose_training.importers.formats import import_network
from pose_training.models import get_spec

KERNEL = np.random.default_rng(0).standard_normal((3, 3, 2, 4), np.float32)
BIAS = np.array([1, -2, 3.5, 0], np.float32)
LAYERS = {'conv1_1': {'weights': KERNEL, 'biases': BIAS}}


def file_of(content, descr='|O', shape=()):
    """Return a .npy file with these bytes after its header."""
    header = str({'descr': descr, 'fortran_order': False, 'shape': shape}).encode()
    return b'\x93NUMPY\x01\x00' + struct.pack('<H', len(header) + 1) + header + b'\n' + content


def pickled(value, protocol=4):
    """Return a .npy file as NumPy writes an object: the pickle of an object array ()."""
    array = np.empty((), object)
    array[()] = value
    return file_of(pickle.dumps(array, protocol))


def text_only(value):
    """Return the name of a test's value: bytes have none."""
    return value if isinstance(value, str) else ''


def read(tmp_path, data):
    """Return the tensors that the reader finds in these bytes."""
    path = tmp_path / 'openpose_coco.npy'
    path.write_bytes(data)
    return npy.read_weights(str(path), get_spec('cmu')).tensors


def test_the_coco_network_computes_what_tensorflow_would(tmp_path):
    """From np.save to maps, against ONNX Runtime on the layer table."""
    layers = caffe_files.NETWORKS['cmu']
    blobs = caffe_files.random_blobs(layers)
    path = tmp_path / 'openpose_coco.npy'
    np.save(path, {layer: {'weights': weight.transpose(2, 3, 1, 0), 'biases': bias}
                   for layer, (weight, bias) in blobs.items()})
    network, _ = import_network('npy', str(path), 'cmu')
    path.unlink()
    image = np.random.default_rng(1).uniform(-.5, .5, (1, 3, 32, 48)).astype(np.float32)
    with torch.no_grad():
        last = network(torch.from_numpy(image))[-1]
    found = np.concatenate([each.numpy() for each in last.values()], 1)
    wanted = caffe_files.run(layers, blobs, image)
    assert np.corrcoef(found.reshape(-1), wanted.reshape(-1))[0, 1] > .99999
    assert np.abs(found - wanted).max() < 1e-4 * np.abs(wanted).max()


def python_2(layers):
    """Return the file that NumPy under Python 2 writes of {layer: {name: array}}: all is str."""
    def text(data):
        return b'T' + struct.pack('<i', len(data)) + data

    def array(kind, order, shape, data):
        numbers = b''.join(b'K' + bytes([size]) for size in shape)
        return (b'cnumpy.core.multiarray\n_reconstruct\nq\x01cnumpy\nndarray\nK\x00\x85U\x01b\x87R'
                b'(K\x01(' + numbers + b'tcnumpy\ndtype\n' + text(kind) + b'K\x00K\x01\x87R'
                b'(K\x03' + text(order) + b'NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xff'
                + (b'K?' if kind == b'O8' else b'K\x00') + b'tb\x89' + data + b'tb')

    content = b'}('
    for layer, parts in layers.items():
        content += text(layer.encode()) + b'}('
        for name, value in parts.items():
            content += text(name.encode())
            content += array(b'f4', b'<', value.shape, text(value.tobytes()))
        content += b'u'
    return file_of(b'\x80\x02' + array(b'O8', b'|', (), b']' + content + b'ua') + b'.')


def check_layers(tensors):
    assert sorted(tensors) == ['conv1_1.bias', 'conv1_1.weight']
    np.testing.assert_array_equal(tensors['conv1_1.bias'], BIAS, strict=True)
    weight = tensors['conv1_1.weight']
    assert weight.shape == (4, 2, 3, 3) and weight.dtype == np.float32
    assert weight[3, 1, 2, 0] == KERNEL[2, 0, 1, 3] and weight[0, 1, 0, 2] == KERNEL[0, 2, 1, 0]
    assert all(array.flags.writeable for array in tensors.values())


@pytest.mark.parametrize('protocol', [2, 3, 4])
def test_every_protocol_of_numpy_is_read(protocol, tmp_path):
    """Python 3 writes bytes as latin-1 text in protocol 2, as bytes in 3, framed in 4."""
    check_layers(read(tmp_path, pickled(LAYERS, protocol)))


def test_files_of_python_2_are_read(tmp_path):
    """Keys and data are byte strings there."""
    data = python_2(LAYERS)
    ordinary = pickle.loads(data[data.index(b'\n') + 1:], encoding='bytes')[()]
    np.testing.assert_array_equal(ordinary[b'conv1_1'][b'weights'], KERNEL)
    check_layers(read(tmp_path, data))


def test_flat_variables_are_read_without_what_the_optimizer_kept(tmp_path):
    """{variable name: array}, as a training run of tf-pose saves it."""
    check_layers(read(tmp_path, pickled({
        'conv1_1/weights:0': KERNEL, 'conv1_1/biases:0': BIAS,
        'conv1_1/weights/RMSProp:0': KERNEL, 'conv1_1/biases/RMSProp_1:0': BIAS,
        'global_step:0': np.int64(7)})))


@pytest.mark.parametrize('change', [
    np.asfortranarray, np.float64, lambda array: array.astype('>f4'), lambda array: array[::-1],
    lambda array: array.astype(np.float16)])
def test_arrays_in_any_order_and_precision_are_read(change, tmp_path):
    """Fortran order, doubles, big-endian, half precision."""
    tensors = read(tmp_path, pickled({'a': {'weights': change(KERNEL), 'biases': change(BIAS)}}))
    wanted = np.asarray(change(KERNEL), np.float32).transpose(3, 2, 0, 1)
    np.testing.assert_array_equal(tensors['a.weight'], wanted)
    np.testing.assert_array_equal(tensors['a.bias'], np.asarray(change(BIAS), np.float32))


class Call:
    """Pickles as a call of something."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def lines(module, name, argument):
    """Return a call in protocol 0: a global by its name, a text, a tuple, a call."""
    return 'c{}\n{}\n(V{}\ntR.'.format(module, name, argument).encode()


def attacks(marker):
    """Return pickles that create a folder if an ordinary unpickler reads them."""
    command, code = 'mkdir ' + marker, 'import os; os.mkdir({!r})'.format(marker)
    quoted = struct.pack('<I', len(marker)) + marker.encode()
    return {
        'os.system': pickle.dumps(Call(os.system, command)),
        'builtins.exec': pickle.dumps(Call(exec, code)),
        'builtins.eval': pickle.dumps(Call(eval, '__import__("os").mkdir("%s")' % marker)),
        'protocol 0': lines('os', 'mkdir', marker),
        'numpy.f2py': lines('numpy.f2py.crackfortran', 'myeval', '__import__("os").mkdir("%s")'
                            % marker),
        'dotted': b'\x80\x04\x8c\x17numpy.f2py.crackfortran\x8c\x08os.mkdir\x93X' + quoted
                  + b'\x85R.',
        'operator': pickle.dumps(Call(operator.methodcaller('mkdir'), Path(marker))),
        'subprocess': pickle.dumps(Call(subprocess.call, ['mkdir', marker])),
        'in a key': pickle.dumps({Call(os.mkdir, marker): KERNEL}),
        'in a layer': pickle.dumps({'conv1_1': {'weights': [Call(os.mkdir, marker)]}}),
        'instance': b'(Vignored\n0Vx\n0(X' + quoted + b'ios\nmkdir\n.',
        'object': b'(cos\nmkdir\nX' + quoted + b'o.',
        'in a dtype': b'\x80\x02cnumpy\ndtype\ncos\nmkdir\nX' + quoted + b'\x85R\x85R.',
        'in a state': b'\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85'
                      b'U\x01b\x87R(K\x01)cos\nmkdir\nX' + quoted + b'\x85R\x89]tb.',
        'dropped again': b'\x80\x02}U\x01aK\x01scos\nmkdir\nX' + quoted + b'\x85R0.',
    }


@pytest.mark.filterwarnings('ignore')
@pytest.mark.parametrize('name', attacks('x'))
def test_nothing_that_a_pickle_names_is_run(name, tmp_path):
    """Each attack works on an ordinary unpickler, and does nothing here."""
    marker = tmp_path / 'marker'
    attack = attacks(str(marker))[name]
    try:
        pickle.loads(attack, encoding='bytes')
    except Exception:  # the result is no array; the test checks that it ran
        pass
    assert marker.is_dir(), 'this attack is none'
    marker.rmdir()
    with pytest.raises(WeightsError, match='do not trust this file|something other than an array'):
        read(tmp_path, file_of(attack))
    assert not marker.exists()


@pytest.mark.parametrize('content, message', ids=text_only, argvalues=[
    (lines('posix', 'system', 'x'), 'names posix.system'),
    (b'\x80\x04\x8c\x05numpy\x8c\x04load\x93.', 'names numpy.load'),
    (b'\x80\x02cnumpy.core.multiarray\nfrombuffer\n.', 'names numpy.core.multiarray.frombuffer'),
    (b'\x80\x02ccopyreg\n_reconstructor\n.', 'names copyreg._reconstructor'),
    (b'\x80\x02c__builtin__\ngetattr\n.', 'names __builtin__.getattr'),
    (b'\x80\x02\x82\x01.', 'instruction EXT1'), (b'Pid\n.', 'instruction PERSID'),
    (b'\x80\x02cnumpy\nndarray\n)\x81.', 'instruction NEWOBJ'),
    (b'\x80\x02cnumpy\nndarray\n)R.', 'something other than an array'),
    (b'\x80\x02cnumpy\nndarray\n}U\x01aK\x01sb.', 'something other than arrays'),
    (b'\x80\x02]}b.', 'something other than arrays'),
    (b'\x80\x02c_codecs\nencode\nX\x01\x00\x00\x00aX\x04\x00\x00\x00zlib\x86R.',
     'something other than an array'),
    (b'\x80\x02}})K\x01ss.', 'dict with a tuple for a key'),
    (b'\x80\x02]U\x01aK\x02s.', 'fills a list as if it were a dict'),
])
def test_rejected_names_are_in_the_error(content, message, tmp_path):
    """Names, instructions, and misuse of what is admitted."""
    with pytest.raises(WeightsError, match=message):
        read(tmp_path, file_of(content))


def repeated(count):
    """Return a dict of `count` names for one array of 64 kB."""
    array = pickle.dumps(np.zeros(16384, np.float32), 2)[:-1]
    names = b''.join(b'X\x06\x00\x00\x00%06dh\xff' % number for number in range(count))
    return file_of(array + b'q\xff}(' + names + b'u.')


SHARED_TUPLES = b')' + b'q\x00h\x00\x86' * 60  # each holds the one before twice


@pytest.mark.parametrize('content, message', ids=text_only, argvalues=[
    (repeated(2000), 'repeats its arrays until they are larger than the file'),
    (file_of(b'\x80\x04\x8e' + struct.pack('<Q', 2 ** 40) + b'abc.'), 'damaged or cut short'),
    (file_of(b'\x80\x02T\xff\xff\xff\x7fabc.'), 'damaged or cut short'),
    (file_of(b'\x80\x04' + b']' * 400000 + b'.'), 'longer than any list of layers'),
    (file_of(b'\x80\x02cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\nX\x02\x00\x00\x00f4\x85R'
             b'X\x01\x00\x00\x00a\x86R.'), r'shape \(\) with 1 bytes'),
    (file_of(b'\x80\x02c_codecs\nencode\nq\x00X\x00\x00\x01\x00' + b'a' * 65536
             + b'X\x06\x00\x00\x00latin1\x86q\x01]' + b'h\x00h\x01Ra' * 1000 + b'.'),
     'larger than the file'),
    (file_of(b'\x80\x02}' + SHARED_TUPLES + b'K\x01s.'), 'dict with a tuple for a key'),
    (file_of(bytes(64), '<f4', (2 ** 40,)), 'no dict of layers'),
    (file_of(b'', '|O', (2 ** 40,)), 'no dict of layers'),
    (file_of(pickle.dumps({'a' * 9: 1}), '|O' + ' ' * 60000), 'no .npy file of weights'),
])
def test_a_small_file_cannot_fill_the_memory(content, message, tmp_path):
    """Wrong lengths, one array many times, endless instructions, tuples that double."""
    tracemalloc.start()
    with pytest.raises(WeightsError, match=message):
        read(tmp_path, content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40e6


def test_a_place_in_the_memo_costs_nothing(tmp_path):
    """An unpickler with an array as memo would allocate 32 GB here."""
    whole = pickled(LAYERS, 2)
    cut = whole.index(b'}q') + 1
    check_layers(read(tmp_path, whole[:cut] + b'r\xff\xff\xff\xff' + whole[cut:]))


@pytest.mark.parametrize('content, message', ids=text_only, argvalues=[
    (b'', 'no .npy file of weights'), (b'<html>', 'no .npy file of weights'),
    (b'PK\x03\x04', 'no .npy file of weights'),
    (b'\x93NUMPY\x03\x00' + bytes(20), 'version 3.0 of the format never'),
    (file_of(bytes(8), '<f8'), 'an array of float64, shape ()'),
    (file_of(b''), 'damaged or cut short'), (pickled(LAYERS)[:-9], 'damaged or cut short'),
    (pickled([KERNEL]), 'no dict of layers but list'), (pickled({}), 'no dict of layers'),
    (pickled({'conv1_1': 'weights'}), 'conv1_1 is no array of numbers but str'),
    (pickled({'conv1_1': {'weights': {}}}), 'conv1_1/weights is no array of numbers but dict'),
    (pickled({'a': np.array([KERNEL, None], object)}), 'array of objects'),
    (pickled({'a': np.array(None)}), 'a is no array of numbers but NoneType'),
    (pickled({'a': np.zeros(2, 'f4,i4')}), "of type 'V8'|array of records"),
    (pickled({'a': np.array(['text'])}), "of type 'U4'"),
    (pickled({'a': np.zeros(3, complex)}), "of type 'c16'"),
    (pickled({1: KERNEL}), 'dict with a int for a key'),
])
def test_other_content_is_rejected(content, message, tmp_path):
    """Other files, other objects, other arrays."""
    with pytest.raises(WeightsError, match=message):
        read(tmp_path, content)


def test_paths_without_a_file_are_rejected(tmp_path):
    """A folder, a device without end, nothing at all."""
    for path in tmp_path, tmp_path / 'none', '/dev/zero':
        with pytest.raises(WeightsError, match='cannot read|no .npy file'):
            npy.read_weights(str(path), get_spec('cmu'))


@pytest.mark.filterwarnings('ignore')  # NumPy's, on odd headers
def test_no_damage_ends_in_another_error(tmp_path):
    """Every cut, and many changed bytes: tensors, or WeightsError."""
    files = [pickled({'a': {'weights': KERNEL[:1, :1]}}, protocol) for protocol in (2, 4)]
    assert sum(refusals(lambda data: read(tmp_path, data), damaged(whole, 800))
               for whole in files) > 1000
