# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Check a file of torch.save before PyTorch opens it.

`torch.load(weights_only=True)` runs no code, but it makes what a small file describes: storages
without bytes behind them, compressed records, byte arrays of any length, keys whose hash is
computed for hours. Here the records of the zip file and the instructions of its pickle are
compared with the size of the file first; nothing is made.
"""
import os
import pickle
import zipfile
from pickletools import genops

from pose_training.importers.limits import elements
from pose_training.importers.pickled import Machine, PickleError

_ZIP = b'PK\x03\x04'  # files of PyTorch 1.6 and newer; older ones are bare pickles
_MAGIC = 0x1950A86A20F9469CFC6C  # the first pickle of an old file
_PICKLES = 4  # after it: the version, the machine, the object, the storages
_MOST_INSTRUCTIONS = 1 << 21
_MOST_PICKLE_BYTES = 1 << 26
_MOST_RECORDS = 1 << 17
# What PyTorch calls when it reads a state dict or the snapshot of a training.
_CONTAINERS = {'collections.OrderedDict': dict, 'collections.Counter': dict}
_CALLS = {'torch._utils._rebuild_' + name for name in (
    'tensor', 'tensor_v2', 'tensor_v3', 'parameter', 'qtensor', 'sparse_tensor',
    'meta_tensor_no_storage')} | {
        'torch.Size', 'torch.device', 'torch.serialization._get_layout', 'builtins.complex'}
_ITEM_SIZES = {'ComplexDouble': 16, 'ComplexFloat': 8, 'Double': 8, 'Long': 8, 'Float': 4,
               'Int': 4, 'QInt32': 4, 'Half': 2, 'BFloat16': 2, 'Short': 2, 'Char': 1,
               'Byte': 1, 'Bool': 1, 'QInt8': 1, 'QUInt8': 1, 'QUInt4x2': 1, 'QUInt2x4': 1,
               'Untyped': 1}  # bytes
_TEXTS = {'_codecs.encode', 'builtins.bytearray'}  # of texts, no longer than the file


class UnsafeFile(ValueError):
    """A file describes more than it holds."""


def check_torch_file(path: str) -> None:
    """Raise an error unless PyTorch can open the file with about as much memory as its size.

    UnsafeFile for contents that are larger than the file, pickle.UnpicklingError for one that
    needs other names than those of tensors, PickleError or zipfile.BadZipFile for a damaged one.
    """
    with open(path, 'rb') as stream:
        size = os.fstat(stream.fileno()).st_size
        if stream.read(len(_ZIP)) == _ZIP:
            _check_zip(stream, size)
        else:
            stream.seek(0)
            _check_old(stream, size)


def _check_zip(stream, size):
    with zipfile.ZipFile(stream) as records:
        entries = records.infolist()
        if any(entry.filename.endswith('/constants.pkl') for entry in entries):
            raise ValueError('TorchScript')
        if len(entries) > _MOST_RECORDS or sum(entry.file_size for entry in entries) > size or any(
                entry.compress_type != zipfile.ZIP_STORED for entry in entries):
            raise UnsafeFile('its records are compressed, or larger than the file')
        names = [entry.filename.lower() for entry in entries]
        pickles = [entry for entry in entries if entry.filename.endswith('/data.pkl')]
        if len(set(names)) < len(names) or len(pickles) != 1:
            raise UnsafeFile('it does not have one list of tensors, data.pkl')
        if pickles[0].file_size > _MOST_PICKLE_BYTES:
            raise UnsafeFile('its list of tensors is longer than that of any network')
        with records.open(pickles[0]) as content:
            _run(content, size)


def _check_old(stream, size):
    if _run(stream, size) != _MAGIC:
        raise PickleError('it does not begin like a file of torch.save')
    for _ in range(_PICKLES):
        _run(stream, size)


def _run(stream, size):
    machine = _Scan(size)
    try:
        for count, (opcode, argument, _) in enumerate(genops(stream)):
            if count > _MOST_INSTRUCTIONS:
                raise UnsafeFile('its list of tensors is longer than that of any network')
            machine.step(opcode.name, argument)
        return machine.stack.pop()
    except (PickleError, UnsafeFile, pickle.UnpicklingError):
        raise
    except (ValueError, TypeError, IndexError, KeyError, AttributeError, OverflowError) as error:
        if 'unknown' in str(error):  # of an instruction
            raise pickle.UnpicklingError('it is no pickle') from error
        raise PickleError(str(error)[:80] or type(error).__name__) from error


class _Named(str):
    """A name of a module, such as torch.FloatStorage."""


class _Made:
    """The result of a call; `size` is the number of elements of a storage."""

    def __init__(self, size=None):
        self.size = size


class _Scan(Machine):
    """Runs the instructions, with placeholders for tensors."""

    def __init__(self, size):
        super().__init__(size)
        self._storages = {}

    def named(self, name):
        """Return a placeholder for a name; those of code are rejected."""
        name = name.replace('__builtin__.', 'builtins.', 1)  # in a pickle of protocol 2
        known = name in _CALLS or name in _TEXTS or name in _CONTAINERS or name == 'builtins.set'
        if not known and not name.startswith('torch.'):
            raise _needs(name)
        return _Named(name)

    def other(self, name, argument):
        """Run the instructions that only PyTorch has."""
        if name == 'BINPERSID':
            self.stack.append(self._storage(self.stack.pop()))
        elif name == 'EMPTY_SET':
            self.stack.append(_Made())
        elif name == 'NEWOBJ':
            raise _needs(self.stack[-2])
        elif name in ('STACK_GLOBAL', 'BYTEARRAY8', 'NEXT_BUFFER', 'NEWOBJ_EX', 'DUP'):
            raise pickle.UnpicklingError(name)
        else:
            super().other(name, argument)

    def key(self, key):
        """Reject keys whose hash could take long."""
        if not isinstance(key, (str, bytes, int, float, type(None), _Made)):
            raise UnsafeFile('it has a dict with a {} for a key'.format(type(key).__name__))

    def _storage(self, facts):
        kind, storage, key, _, count = facts[:5]
        if kind != 'storage' or not isinstance(storage, _Named) or type(count) is not int:
            raise PickleError('it has an unknown kind of reference')
        self.key(key)
        needed = count * _item_size(storage)
        if key not in self._storages:
            self._storages[key] = needed
            self.spend(needed)
        if not 0 <= needed <= self._storages[key]:
            raise UnsafeFile('a storage in it has two sizes')
        return _Made(count)

    def called(self, name, arguments):
        """Return a placeholder for a call; texts are counted."""
        if name in _CONTAINERS:
            return dict(*arguments) if arguments == () else _Made()
        if name in _TEXTS:
            if not all(isinstance(argument, (str, bytes)) for argument in arguments):
                raise UnsafeFile('it makes a byte array of a length')
            self.spend(sum(map(len, arguments)))
            return arguments[0] if arguments else ''
        if name in _CALLS:
            if name.endswith('qtensor') and (  # it is made before its storage is looked at
                    elements(arguments[2], arguments[0].size) < 0):
                raise self.overspent()
            return _Made()
        if name == 'builtins.set' and all(type(value) in (int, float, str, bytes)
                                          for items in arguments for value in items):
            return _Made()
        raise _needs(name)

    def build(self, state):
        """Accept the attributes of dicts and tensors."""
        if not isinstance(self.stack[-1], (dict, _Made)):
            raise PickleError('it sets attributes of a {}'.format(type(self.stack[-1]).__name__))

    def overspent(self):
        """Return the error for contents that are larger than the file."""
        return UnsafeFile('its tensors are larger than the file')


def _needs(name):
    text = str(name)[:80]
    return pickle.UnpicklingError('GLOBAL ' + (text if text.isprintable() else ascii(text)))


def _item_size(storage):
    kind = storage.rpartition('.')[2].replace('Storage', '')
    if kind not in _ITEM_SIZES:
        raise PickleError('it has storages of the unknown kind {!a}'.format(storage[:40]))
    return _ITEM_SIZES[kind]
