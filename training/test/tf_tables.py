# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Write TensorFlow checkpoints of version 2, and one that TensorFlow itself wrote."""
import base64
import struct
import zlib

import numpy as np

from pose_training.importers.crc32c import masked_crc32c
from pose_training.importers.messages import message_classes

MAGIC = 0xDB4775248B80FB57
MESSAGES = message_classes('test.bundle', {
    'Header': {'num_shards': (1, 'int32'), 'endianness': (2, 'int32')},
    'Entry': {'dtype': (1, 'int32'), 'shape': (2, 'Shape'), 'shard_id': (3, 'int32'),
              'offset': (4, 'int64'), 'size': (5, 'int64'), 'crc32c': (6, 'fixed32'),
              'slices': (7, ['Shape'])},
    'Shape': {'dim': (2, ['Dim'])},
    'Dim': {'size': (1, 'int64')},
})
DATA_TYPES = {'float32': 1, 'float64': 2, 'int64': 9, 'float16': 19}

# tf.compat.v1.train.Saver(sharded=True) of TensorFlow 2.15.1, two devices; see _REAL_VALUES.
_REAL = {
    'model-1.data-00000-of-00003': 'c-muRfB*mh5C8%',
    'model-1.data-00001-of-00003':
        'c-muNV6bOkIIy3Ap}`)4LBPQQC<ep=jzBgL7dSFNC4g$6atuH*1xJKFR15$+jSXA',
    'model-1.data-00002-of-00003': 'c-muN0D*@6K;i%cg98vZ0PzAKJ^;iIKzw_A7y#bh4!8',
    'model-1.index':
        'c-muNVB=txV&Y(AP!{yfPs+?m%}Xr_Gt_s^&nq)Zi8s)9N-Rmv@XIgC)lW(-N#tM@Vi98EV3J_e;4qz~Ds@bmQ'
        '&`_OKQ}e6q%;>HslWl0e(~5XQj}f3JT)^tqof!pDFBpYgkol>LIDj4QyXrzZ!(hd`mPlP`FTK-G81!r^UE^x('
        'jCiEixSgQacI>5YE8I%>xwLgJdz8rsdNCU%(k;yAuKCv7@v|_P?AxeS)8g5XT_tskqHSiN-$|Cm{#u=wKCw8*'
        'GIDlO`(DUP^rl)Gi3&D?)04eq{N)~;*!(?4o)EkU~n*&-g9IC0!9$gW!ke6&N=XD;RXgq<_v~!OmMMtSKj3QX'
        '5#2z=4T)X!hbh(tCYIm1^`$yT=D',
    'checkpoint': 'c-qU&Pf5**PtHh9&MwH$%qxj6NG!>)Qc%(_$t}=N&NkA|1u4)qRN_j^$%)U!rn(rbasanTA3g',
}
REAL_VALUES = {
    'MobilenetV1/Conv2d_0/weights': 3 * np.arange(6.).reshape(1, 1, 3, 2),
    'MobilenetV1/Conv2d_0/weights/ExponentialMovingAverage':
        2 * np.arange(6.).reshape(1, 1, 3, 2),
    'MobilenetV1/Conv2d_1_depthwise/depthwise_weights': -np.arange(8.).reshape(2, 2, 2, 1),
    'MobilenetV1/Conv2d_0/BatchNorm/beta': np.array([.5, -1.5]),
    'MobilenetV1/Conv2d_0/BatchNorm/beta/Momentum': np.ones(2),
    'global_step': np.array(1),
}


def write_real(folder):
    """Write the files that TensorFlow wrote; return the prefix."""
    for name, text in _REAL.items():
        (folder / name).write_bytes(zlib.decompress(base64.b85decode(text)))
    return folder / 'model-1'


def write_checkpoint(prefix, variables, shards=2, **changes):
    """Write variables (name -> array); return the prefix. `changes` are fields of the header."""
    data = [bytearray() for _ in range(shards)]
    entries = {b'': MESSAGES['Header'](**{'num_shards': shards, **changes}).SerializeToString()}
    for position, (name, array) in enumerate(sorted(variables.items())):
        shard = position % shards
        entries[name.encode()] = entry(array, shard, len(data[shard])).SerializeToString()
        data[shard] += array.tobytes()
    for shard, content in enumerate(data):
        path = '{}.data-{:05d}-of-{:05d}'.format(prefix, shard, shards)
        with open(path, 'wb') as stream:
            stream.write(content)
    with open(str(prefix) + '.index', 'wb') as stream:
        stream.write(table(entries))
    return prefix


def entry(array, shard=0, offset=0):
    """Return the entry of an array."""
    message = MESSAGES['Entry'](
        dtype=DATA_TYPES[array.dtype.name], shard_id=shard, offset=offset, size=array.nbytes,
        crc32c=masked_crc32c(array.tobytes()))
    for size in array.shape:
        message.shape.dim.add(size=size)
    return message


def table(entries, block_size=2000, compression=0):
    """Return a LevelDB table of bytes by key, in blocks of about `block_size`."""
    content, index, rows = bytearray(), {}, {}
    for key in sorted(entries):
        rows[key] = entries[key]
        if sum(len(name) + len(value) for name, value in rows.items()) > block_size:
            index[key] = _append(content, rows, compression)
            rows = {}
    if rows:
        index[max(rows)] = _append(content, rows, compression)
    footer = _append(content, {}, 0) + _append(content, index, 0)
    return bytes(content) + footer.ljust(40, b'\0') + struct.pack('<Q', MAGIC)


def _append(content, rows, compression, restart_interval=16):
    """Append a block; return its handle."""
    block, restarts, last = bytearray(), [], b''
    for position, key in enumerate(sorted(rows)):
        shared = 0
        if position % restart_interval == 0:
            restarts.append(len(block))
        else:
            while shared < min(len(key), len(last)) and key[shared] == last[shared]:
                shared += 1
        block += _varint(shared) + _varint(len(key) - shared) + _varint(len(rows[key]))
        block += key[shared:] + rows[key]
        last = key
    restarts = restarts or [0]
    block += struct.pack('<{}I'.format(len(restarts) + 1), *restarts, len(restarts))
    handle = _varint(len(content)) + _varint(len(block))
    block.append(compression)
    content += block + struct.pack('<I', masked_crc32c(bytes(block)))
    return handle


def _varint(number):
    parts = bytearray()
    while number > 127:
        parts.append(number & 127 | 128)
        number >>= 7
    return bytes(parts + bytes([number]))
