# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Errors of the core. Each message names the cause, the place, and the fix."""

_LONGEST = 2000  # characters
_LAYOUT = '\n\t'


def shown(text: str, longest: int = _LONGEST) -> str:
    """Return text for a terminal, a log or a message: at most `longest` characters, all plain.

    Texts of other origin (names in a model, in a message, in a file) may hold escape sequences of
    terminals or lone surrogates: they are written as \\x1b, and the middle of a long text becomes
    a note of how much is left out. Line ends and tabs stay.
    """
    text = str(text)
    if len(text) <= longest and text.isprintable():
        return text
    # Cut before escaping, which takes long for long texts; one character becomes at most ten.
    head, tail = text, ''
    if len(text) > longest:
        head, tail = text[:longest], text[-longest:]
    head, tail = _escaped(head), _escaped(tail)
    if len(text) <= longest and len(head) <= longest:
        return head
    note = ' ... ({} characters) ... '.format(len(text))
    room = max(0, longest - len(note))
    last = room // 3  # the fix stands at the end of a message
    end = (tail or head)[-last:] if last else ''
    return head[:room - last] + note + end


def _escaped(text):
    if text.isprintable():
        return text
    return ''.join(character if character.isprintable() or character in _LAYOUT
                   else character.encode('ascii', 'backslashreplace').decode()
                   if ord(character) > 127 else '\\x{:02x}'.format(ord(character))
                   for character in text)


class PoseRosError(ValueError):
    """Base of all errors that the core raises. Their text is `shown`."""

    def __str__(self):
        """Return the message, shortened and escaped."""
        return shown(super(PoseRosError, self).__str__())


class CardError(PoseRosError):
    """A model card is missing, malformed, or contradicts its network."""


class ModelError(PoseRosError):
    """A model file is missing, unreadable, or not a network."""


class EngineError(PoseRosError):
    """An inference engine is unavailable, or failed while it ran."""


class OutputError(PoseRosError):
    """A file cannot be written, or not all of it."""


class ImageError(PoseRosError):
    """An image, or an image message, cannot be used."""


def cannot_write(path: str, error: Exception) -> OutputError:
    """Return the error of a file that cannot be written, for an OSError with the reason."""
    return OutputError('cannot write {}: {}'.format(
        path, getattr(error, 'strerror', None) or error))
