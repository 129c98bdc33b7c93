# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Small weight files that describe gigabytes, or hours of work."""
import io
import pickle
import struct
from xml.etree import ElementTree
import zipfile

import numpy as np
import torch

from pose_training.importers.crc32c import masked_crc32c
from tf_files import add_constant, add_node
from tf_reference import MESSAGES, attributes
import tf_tables

LONG = 'n' * 200000


def field(number, payload):
    """Return a protobuf field of bytes."""
    return tf_tables._varint(number << 3 | 2) + tf_tables._varint(len(payload)) + payload


def npy(content):
    """Return a .npy file of a pickled object."""
    header = str({'descr': '|O', 'fortran_order': False, 'shape': ()}).encode()
    array = np.empty((), object)
    array[()] = content
    return (b'\x93NUMPY\x01\x00' + struct.pack('<H', len(header) + 1) + header + b'\n'
            + pickle.dumps(array, 4))


def long_layer_name():
    """Return a .npy whose one long name becomes that of 30,000 arrays: 6 GB of names."""
    array = np.zeros(1, np.float32)
    return npy({LONG: {'{:x}'.format(part): array for part in range(30000)}})


def index_of_keys():
    """Return an .index whose 40,000 keys repeat the first 100,000 bytes of the one before."""
    block = tf_tables._varint(0) + tf_tables._varint(100000) + tf_tables._varint(0) + b'k' * 100000
    more = b'\xa0\x8d\x06' + b'\x02\x00'  # 100,000 shared bytes and two more, no value
    block += b''.join(more + struct.pack('>H', number) for number in range(40000))
    return _index(_sealed(block), 1)


def index_of_one_block():
    """Return an .index that names the same block 200,000 times."""
    entry = tf_tables._varint(0) + tf_tables._varint(1) + tf_tables._varint(0) + b'k'
    return _index(_sealed(entry * 300), 200000)


def _sealed(block):
    block += struct.pack('<II', 0, 1)
    return block + b'\0' + struct.pack('<I', masked_crc32c(block + b'\0'))


def _index(first, count):
    handle = tf_tables._varint(0) + tf_tables._varint(len(first) - 5)
    rows = (tf_tables._varint(0) + tf_tables._varint(1) + tf_tables._varint(len(handle)) + b'i'
            + handle)
    index = _sealed(rows * count)
    footer = tf_tables._varint(0) * 2
    footer += tf_tables._varint(len(first)) + tf_tables._varint(len(index) - 5)
    return first + index + footer.ljust(40, b'\0') + struct.pack('<Q', tf_tables.MAGIC)


def graph(*inputs):
    """Return a graph of tf-pose that joins these nodes, without them."""
    message = MESSAGES['GraphDef']()
    add_constant(message, 'axis', np.int32(3))
    add_node(message, 'Openpose/concat_stage7', 'ConcatV2', list(inputs) + ['axis'])
    return message


def graph_of_constants():
    """Return a graph of 60 constants that each repeat one number 2 ** 26 times: 16 GB."""
    names = ['c{}'.format(number) for number in range(60)]
    message = graph(*names)
    for name in names:
        tensor = attributes(add_constant(message, name, np.zeros((1, 1), np.float32),
                                         as_values=True))['value'].tensor
        tensor.tensor_shape.dim[0].size = 1 << 26
    return message.SerializeToString()


def graph_of_identities():
    """Return a graph with a chain of 30,000 identities."""
    message = graph('i29999')
    add_constant(message, 'start', np.zeros(1, np.float32))
    for number in range(30000):
        add_node(message, 'i{}'.format(number), 'Identity',
                 ['i{}'.format(number - 1) if number else 'start'])
    return message.SerializeToString()


def graph_of_parts():
    """Return 30 MB of empty nodes: an object of 100 bytes for each 2 bytes."""
    return b'\x0a\x00' * 15000000


def caffe_names():
    """Return a .caffemodel with a long layer name and 60,000 blobs: 12 GB of names."""
    return field(100, field(1, LONG.encode()) + field(7, b'') * 60000)


def caffe_parts():
    """Return 30 MB of empty layers."""
    return b'\xa2\x06\x00' * 10000000


def pth(data, old=False):
    """Return a file of torch.save."""
    stream = io.BytesIO()
    torch.save(data, stream, _use_new_zipfile_serialization=not old)
    return stream.getvalue()


def pth_of_stride_0():
    """Return a .pth with a tensor that repeats one number 2e9 times."""
    return pth({'conv1_1.weight': torch.zeros(1, dtype=torch.float64).expand(2000000000)})


def pth_compressed():
    """Return a .pth whose 1 GB of zeros is compressed to 1 MB."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, 'w', zipfile.ZIP_DEFLATED) as records:
        records.writestr('archive/data.pkl', _tensor_pickle(1 << 28))
        with records.open('archive/data/0', 'w') as record:
            for _ in range(64):
                record.write(bytes(1 << 24))
        records.writestr('archive/version', '3\n')
    return stream.getvalue()


def _tensor_pickle(count):
    """Return the pickle of {'a': tensor}, the storage of `count` floats."""
    return (b'\x80\x02}X\x01\x00\x00\x00actorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00'
            b'storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuJ'
            + struct.pack('<i', count) + b'tQK\x00J' + struct.pack('<i', count)
            + b'\x85K\x01\x85\x89ccollections\nOrderedDict\n)RtRs.')


def pth_with(body):
    """Return a .pth with this pickle, and no storages."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, 'w') as records:
        records.writestr('archive/data.pkl', body)
        records.writestr('archive/version', '3\n')
    return stream.getvalue()


def old_pth(count=2000000000):
    """Return a file of PyTorch 0.4 whose storage has 8 GB that are not there."""
    system = pickle.dumps({'protocol_version': 1001, 'little_endian': True, 'type_sizes': {}}, 2)
    body = _tensor_pickle(count).replace(b'cpuJ' + struct.pack('<i', count) + b'tQ',
                                         b'cpuJ' + struct.pack('<i', count) + b'NtQ')
    return (pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2) + system + body
            + pickle.dumps(['0'], 2) + struct.pack('<q', count))


HUGE = b'\x8a\x05' + struct.pack('<q', 10 ** 10)[:5]  # the number in a pickle
CALL = {
    'bytearray': b'c__builtin__\nbytearray\n' + HUGE + b'\x85R.',
    'tensor': b'ctorch\nTensor\n' + HUGE + b'\x85R.',
    # Each tuple holds the one before twice: its hash takes 2 ** 64 steps.
    'keys': b'}' + b'K\x01\x85q\x00' + b'h\x00h\x00\x86q\x00' * 64 + b'K\x00s.',
    'quantized': b'ctorch._utils\n_rebuild_qtensor\n((X\x07\x00\x00\x00storagectorch\nQInt8Storage'
                 b'\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x01tQK\x00'
                 + HUGE + b'\x85K\x01\x85(ctorch\nper_tensor_affine\n'
                 b'G\x3f\xf0\x00\x00\x00\x00\x00\x00K\x00t\x89ccollections\nOrderedDict\n)RtR.',
}


def openvino(folder, constants, convolutions, sums=0):
    """Write an IR whose convolutions all read one constant; return the path of its .xml."""
    net = ElementTree.Element('net', name='small', version='10')
    layers, edges = (ElementTree.SubElement(net, name) for name in ('layers', 'edges'))

    def add(number, kind, *inputs, **data):
        layer = ElementTree.SubElement(layers, 'layer', id=number, name='l' + number, type=kind)
        ElementTree.SubElement(layer, 'data', data)
        for port, source in enumerate(inputs):
            ElementTree.SubElement(edges, 'edge', {'from-layer': source, 'to-layer': number,
                                                   'to-port': str(port)})
    add('i', 'Parameter')
    add('c', 'Const', element_type='i8', offset='0', shape='{},1,1,1'.format(constants),
        size=str(constants))
    for number in range(convolutions):
        add(str(number), 'Convolution', 'i', 'c')
    for number in range(sums):
        add('s{}'.format(number), 'Relu', 'i')
    path = folder / 'bomb.xml'
    path.write_bytes(ElementTree.tostring(net))
    path.with_suffix('.bin').write_bytes(bytes(constants))
    return str(path)
