# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Datasets, read into the joints of any topology."""
import hashlib
import logging
import os
from typing import List, Mapping, NamedTuple, Optional, Tuple

import numpy as np

from pose_ros.core.convert import convert_people
from pose_ros.core.errors import PoseRosError
from pose_ros.core.people import make_people
from pose_ros.core.sources.images import IMAGE_EXTENSIONS
from pose_ros.core.topology import Topology, make_topology
from pose_training.data.coco import box_of, CocoFile, is_labelled, joints_of, load_coco
from pose_training.errors import DataError

_LOG = logging.getLogger('pose_training')


class Sample(NamedTuple):
    """One photograph.

    `people` (P, K, 3): x, y [px] and whether the joint is labelled (0: no, 1: occluded, 2: seen),
    in the order of the topology; `boxes` (P, 4): left, top, width, height [px]; `ignored`: COCO
    annotations of people that no label tells apart (crowds, people without keypoints).
    `labelled` (K,): the joints that this dataset labels at all; `complete`: it labels everybody;
    `thorough`: it labels every joint of theirs that is to be seen; `nobody`: there is nobody.
    """

    path: str
    size: Optional[Tuple[int, int]]  # (width, height), None if the file must be asked
    people: np.ndarray
    boxes: np.ndarray
    ignored: Tuple[dict, ...]
    labelled: np.ndarray
    complete: bool = True
    thorough: bool = False
    nobody: bool = False

    @property
    def identity(self) -> int:
        """A number of the file's name, the same wherever the file lies."""
        name = os.path.basename(self.path).encode('utf-8', 'surrogateescape')
        return int.from_bytes(hashlib.sha256(name).digest()[:6], 'big')


def read_dataset(path: str, topology: Topology, complete: bool = True, images: str = '',
                 names: Optional[Mapping[str, str]] = None, thorough: bool = False,
                 part: Tuple[float, float] = (0., 1.)) -> List[Sample]:
    """Read a COCO keypoint file; a folder is a set of photographs with nobody in them.

    `complete`: everybody in the photographs has an annotation. `thorough`: a joint without a
    label is not to be seen (else nothing is known of it). `images` is the folder that file names
    are relative to (default: the file's own); `names` translates the file's names of joints into
    the topology's. `part` selects photographs by a hash of their files' names: (0, .9) to train
    on, and (.9, 1) to validate with. Photographs that are not there are left out, with a warning.
    Raises DataError, which names the file and the entry, for anything that cannot be used.
    """
    if os.path.isdir(path):
        return _select(_read_folder(path, topology), part, path)
    file = load_coco(path)
    samples = read_samples(file, topology, images or os.path.dirname(path), names or {})
    return [sample._replace(complete=complete and sample.complete, thorough=thorough)
            for sample in _select(_present(samples, path), part, path)]


def _select(samples, part, path):
    """Keep the photographs whose hashes lie in a part of all numbers.

    A photograph stays on its side when others come or go, and in every dataset that has it.
    """
    low, high = part
    if not 0 <= low < high <= 1:
        raise DataError('{}: {} is not a part of a dataset; the whole is [0, 1]'.format(
            path, list(part)))
    kept = [sample for sample in samples if low <= sample.identity / 2 ** 48 < high]
    if not kept:
        raise DataError('{}: none of its {} photographs is in the part {}'.format(
            path, len(samples), list(part)))
    return kept


def _read_folder(folder, topology):
    names = sorted(name for name in os.listdir(folder) if name.lower().endswith(IMAGE_EXTENSIONS))
    if not names:
        raise DataError('the folder {} holds no photographs ({})'.format(
            folder, ', '.join(IMAGE_EXTENSIONS)))
    nobody = np.zeros((0, topology.size, 3), np.float32)
    return [Sample(os.path.join(folder, name), None, nobody, np.zeros((0, 4), np.float32), (),
                   np.ones(topology.size, bool), nobody=True) for name in names]


def read_samples(file: CocoFile, topology: Topology, folder: str,
                 names: Mapping[str, str] = {}) -> List[Sample]:
    """Return a sample per image of a keypoint file, in its order; people in the annotations'."""
    strange = [name for name in names if name not in file.joints]
    if strange:
        raise DataError('{} has no joint {!r} to rename; it has {}'.format(
            file.path, strange[0], ', '.join(file.joints)))
    try:
        source = make_topology('dataset', [names.get(name) or _usual(name)
                                           for name in file.joints], ())
        samples = [_sample(image, file.people.get(image['id'], ()), (source, topology), folder)
                   for image in file.images]
    except PoseRosError as error:
        raise DataError('{}: {}; its joints are {}'.format(
            file.path, error, ', '.join(file.joints))) from error
    except (KeyError, TypeError, ValueError) as error:
        raise DataError('{}: an entry of its images is unfit: {} {}'.format(
            file.path, type(error).__name__, error)) from error
    seen = [sample.people[..., 2].max(0) > 0 for sample in samples if len(sample.people)]
    labelled = np.any(seen, axis=0) if seen else np.ones(topology.size, bool)
    return [sample._replace(labelled=labelled) for sample in samples]


def _usual(name):
    """Spell a joint as the topologies do: 'L-Shoulder' is 'left_shoulder'."""
    name = str(name).strip().lower().replace(' ', '_').replace('-', '_')
    sides = {'l_': 'left_', 'r_': 'right_'}
    return sides[name[:2]] + name[2:] if name[:2] in sides else name


def _sample(image, annotations, formats, folder):
    found = [annotation for annotation in annotations if is_labelled(annotation)]
    others = [annotation for annotation in annotations if not is_labelled(annotation)]
    placed = tuple(other for other in others if other.get('segmentation') or other.get('bbox'))
    size = (int(image['width']), int(image['height'])) if 'width' in image else None
    boxes = np.array([box_of(annotation) for annotation in found], np.float32).reshape(-1, 4)
    return Sample(os.path.join(folder, image['file_name']), size,
                  _convert([joints_of(annotation) for annotation in found], *formats), boxes,
                  placed, None, complete=len(placed) == len(others))


def _convert(people, source, target):
    """A derived joint is there if all it derives from is, and seen if all of that is."""
    stacked = np.array(people, np.float32).reshape(-1, source.size, 3)
    halved = stacked * np.array([1, 1, .5], np.float32)  # a score is at most 1
    converted = convert_people(make_people(halved, np.ones(len(stacked))), source, target)
    return np.nan_to_num(converted.keypoints, nan=0.) * np.array([1, 1, 2], np.float32)


def _present(samples, path):
    found = [sample for sample in samples if os.path.isfile(sample.path)]
    missing = [sample.path for sample in samples if not os.path.isfile(sample.path)]
    if not found:
        raise DataError('{}: none of its {} photographs is there, such as {}; say in which folder '
                        'the images are'.format(path, len(samples), missing[0]))
    if missing:
        _LOG.warning('%s: %d of its %d photographs are not there, such as %s; they are left out',
                     path, len(missing), len(samples), missing[0])
    return found
