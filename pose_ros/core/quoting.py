# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Foreign values in messages: values of a card, a file or a parameter, of any size and depth."""
import reprlib

from pose_ros.core.errors import shown

_LONGEST = 120  # characters


def quoted(value) -> str:
    """Return the repr of a foreign value of any size and depth, safe and short as by `shown`."""
    return shown(_VALUES.repr(value), _LONGEST)


class _Values(reprlib.Repr):
    def __init__(self):
        super(_Values, self).__init__()
        self.maxlevel = 3
        self.maxstring = self.maxother = _LONGEST
        self.maxlist = self.maxtuple = self.maxset = self.maxfrozenset = self.maxdict = 8

    def repr_int(self, value, level):
        # Python refuses to print numbers of more than 4300 digits.
        digits = value.bit_length() * 0.30103
        return repr(value) if digits < 40 else 'a number of about {:.0f} digits'.format(digits)


_VALUES = _Values()
