# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Read a pickle of NumPy arrays as data: no name in it is imported or called.

The file is split into instructions by the tables of `pickletools`. Only those of dicts, lists,
numbers and arrays are run here; all others are rejected, and all names except those with which
NumPy rebuilds an array. Arrays that are larger than the file are rejected, too.

Why not pickle.Unpickler with find_class: that checks names only. Python's own unpickler allocates
its memo by index (32 GB for one instruction), hashes nested tuples without end, and allocates the
memory of a BYTEARRAY8 before it reads it.
"""
import math
from codecs import escape_decode
from pickletools import code2op
import re
from typing import Any, Iterator, Tuple

import numpy as np

# The allowed names, and their meaning here.
_NAMES = {'{}.multiarray.{}'.format(module, name): name
          for module in ('numpy.core', 'numpy._core') for name in ('_reconstruct', 'scalar')}
_NAMES.update({'numpy.ndarray': 'ndarray', 'numpy.dtype': 'dtype', '_codecs.encode': 'encode'})

_LITERALS = {'BININT', 'BININT1', 'BININT2', 'LONG1', 'BINFLOAT', 'SHORT_BINUNICODE',
             'BINUNICODE', 'BINUNICODE8', 'SHORT_BINBYTES', 'BINBYTES', 'BINBYTES8',
             'INT', 'LONG', 'FLOAT', 'UNICODE', 'STRING'}  # the last five: protocol 0
_STRINGS = {'SHORT_BINSTRING', 'BINSTRING'}  # of Python 2: bytes
_MAKERS = {'NONE': lambda: None, 'NEWTRUE': lambda: True, 'NEWFALSE': lambda: False,
           'EMPTY_TUPLE': tuple, 'EMPTY_LIST': list, 'EMPTY_DICT': dict}
_TUPLES = {'TUPLE1': 1, 'TUPLE2': 2, 'TUPLE3': 3}
_MOST_INSTRUCTIONS = 200000


class PickleError(ValueError):
    """A pickle is damaged, or contains something other than arrays."""


class Rebuilt:
    """A pickled array; `value` is a NumPy array, or the content of an object array ()."""

    def __init__(self):
        self.value = None


class _Dtype:

    def __init__(self, code):
        self.code, self.order = _latin(code), '<'

    def resolve(self):
        """Return the NumPy type of plain numbers, object for objects; reject all others."""
        if self.code in ('O', 'O4', 'O8'):
            return np.dtype(object)
        if not re.fullmatch('[fiu][1248]', self.code) or self.order not in ('<', '>', '|'):
            raise PickleError('it holds an array of type {!r}, not of plain numbers'.format(
                self.code[:20]))
        return np.dtype(self.order + self.code)


class _Name:

    def __init__(self, name):
        if name not in _NAMES:
            raise PickleError('it names {}, which no file of weights needs; nothing was run, do '
                              'not trust this file'.format(name[:80]))
        self.meaning = _NAMES[name]


def read_pickle(stream, largest: int) -> Any:
    """Return the content of the pickle in a stream.

    It is a dict, list, tuple, str, bytes, number or `Rebuilt`. `largest` is the maximum total size
    [bytes] of its arrays, and of texts that represent bytes.
    Raises PickleError.
    """
    machine = Machine(largest)
    try:
        for count, (name, argument) in enumerate(_instructions(stream)):
            if count > _MOST_INSTRUCTIONS:
                raise PickleError('it is longer than any list of layers')
            machine.step(name, argument)
        return machine.stack.pop()
    except PickleError:
        raise
    except (ValueError, TypeError, IndexError, KeyError, AttributeError) as error:
        raise PickleError('its pickle is damaged or cut short ({})'.format(
            str(error)[:80] or type(error).__name__)) from error


def _instructions(stream) -> Iterator[Tuple[str, Any]]:
    """Yield names and arguments, as pickletools.genops does; the STRING of Python 2 as bytes."""
    name = ''
    while name != 'STOP':
        code = stream.read(1).decode('latin-1')
        if code not in code2op:
            raise ValueError('{} in place of an instruction'.format(repr(code) if code else 'end'))
        opcode = code2op[code]
        name, argument = opcode.name, None
        if name == 'STRING':  # genops reads ASCII alone
            argument = escape_decode(stream.readline().strip(b'\n')[1:-1])[0]
        elif opcode.arg is not None:
            argument = opcode.arg.reader(stream)
        yield name, argument


class Machine:
    """Runs instructions on a stack, as the pickle format defines them."""

    def __init__(self, largest):
        self.stack, self.marks, self.memo, self.left = [], [], {}, largest

    def step(self, name, argument):
        """Run an instruction."""
        if name in _LITERALS:
            self.stack.append(argument)
        elif name in _STRINGS:
            self.stack.append(argument.encode('latin-1'))
        elif name in _MAKERS:
            self.stack.append(_MAKERS[name]())
        elif name in _TUPLES:
            self.stack.append(tuple(self._popped(_TUPLES[name])))
        elif name in ('BINPUT', 'LONG_BINPUT', 'PUT', 'MEMOIZE'):
            self.memo[len(self.memo) if argument is None else argument] = self.stack[-1]
        elif name in ('BINGET', 'LONG_BINGET', 'GET'):
            self.stack.append(self.memo[argument])
        elif name not in ('PROTO', 'FRAME', 'STOP'):
            self.other(name, argument)

    def other(self, name, argument):
        """Run an instruction that is neither a literal nor about the memo."""
        if name == 'MARK':
            self.marks.append(len(self.stack))
        elif name == 'TUPLE':
            self.stack.append(tuple(self._since_mark()))
        elif name == 'LIST':
            self.stack.append(self._since_mark())
        elif name == 'DICT':
            items = self._since_mark()
            self.stack.append({})
            self._set_items(items)
        elif name in ('APPEND', 'APPENDS'):
            items = self._since_mark() if name == 'APPENDS' else [self.stack.pop()]
            self._top(list).extend(items)
        elif name in ('SETITEM', 'SETITEMS'):
            items = self._since_mark() if name == 'SETITEMS' else self._popped(2)
            self._set_items(items)
        elif name == 'GLOBAL':
            self.stack.append(self.named(argument.replace(' ', '.', 1)))
        elif name == 'STACK_GLOBAL':
            self.stack.append(self.named('.'.join(self._popped(2))))
        elif name == 'REDUCE':
            self.stack.append(self.called(*self._popped(2)))
        elif name == 'BUILD':
            self.build(self.stack.pop())
        else:
            raise PickleError('it has the instruction {}, which no file of weights needs; nothing '
                              'was run, do not trust this file'.format(name))

    def _popped(self, count):
        start = len(self.stack) - count
        if start < 0:
            raise IndexError('nothing is left on the stack')
        items = self.stack[start:]
        del self.stack[start:]
        return items

    def _since_mark(self):
        return self._popped(len(self.stack) - self.marks.pop())

    def _top(self, kind):
        if type(self.stack[-1]) is not kind:
            raise PickleError('it fills a {} as if it were a {}'.format(
                type(self.stack[-1]).__name__, kind.__name__))
        return self.stack[-1]

    def _set_items(self, items):
        for key, value in zip(items[::2], items[1::2]):
            self.key(key)
            self._top(dict)[key] = value

    def named(self, name):
        """Return what a name of a module stands for."""
        return _Name(name)

    def key(self, key):
        """Reject keys of dicts that are no names."""
        if not isinstance(key, (str, bytes)):
            raise PickleError('it has a dict with a {} for a key, not a name'.format(
                type(key).__name__))

    def called(self, name, arguments):
        """Return the result of a call."""
        meaning = name.meaning if isinstance(name, _Name) else None
        if meaning == '_reconstruct':
            return Rebuilt()
        if meaning == 'dtype':
            return _Dtype(arguments[0])
        if meaning == 'scalar':
            return self._numbers(arguments[0], (), False, arguments[1])
        if meaning == 'encode':
            text, encoding = arguments
            self.spend(len(text))
            if encoding in ('latin1', 'latin-1'):
                return text.encode('latin-1')
        raise PickleError('it makes something other than an array')

    def build(self, state):
        """Give an array or a type its state."""
        target = self.stack[-1]
        if isinstance(target, Rebuilt):
            target.value = self._array(*state[1:])
        elif isinstance(target, _Dtype) and state[2:5] == (None, None, None):
            target.order = _latin(state[1])
        else:
            raise PickleError('it holds an array of records, or something other than arrays')

    def _array(self, shape, dtype, fortran, data):
        if dtype.resolve() != object:  # noqa: E721
            return self._numbers(dtype, shape, fortran, data)
        if shape != () or type(data) is not list or len(data) != 1:
            raise PickleError('it holds an array of objects')
        return data[0]

    def _numbers(self, dtype, shape, fortran, data):
        kind = dtype.resolve()
        fits = len(shape) <= 8 and math.prod(shape) * kind.itemsize == len(data)
        if not fits or kind == object:  # noqa: E721
            raise PickleError('it holds an array of the shape {} with {} bytes'.format(
                shape[:8], len(data)))
        self.spend(len(data))
        return np.frombuffer(data, kind).reshape(shape, order='F' if fortran else 'C')

    def spend(self, count):
        """Use up bytes of the file."""
        self.left -= count
        if self.left < 0:
            raise self.overspent()

    def overspent(self):
        """Return the error for contents that are larger than the file."""
        return PickleError('its arrays are larger than the file; do not trust it')


def _latin(text):
    return text.decode('latin-1') if isinstance(text, bytes) else text
