# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The categories of a keypoint file whose annotations are people with the keypoints of a topology.

A file may have several, such as adults and children, or people and dogs.
"""
import collections
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from pose_ros.core.topology import Topology
from pose_training.data.entries import id_of
from pose_training.errors import DataError

_SIMILAR = .5  # share of the keypoints of the best category that another one must have, too


class Category(NamedTuple):
    """A category with keypoints; `names` are those of the topologies."""

    id: Any
    entry: Dict[str, Any]
    names: Tuple[str, ...]

    @property
    def label(self) -> str:
        """Return its name, for messages."""
        return str(self.entry.get('name', self.id))


class People(NamedTuple):
    """The categories that count as people.

    `names` and `raw_names` are the keypoints of all of them, in the form of the topologies and in
    that of the file. `others` are the categories that do not count, with the reason, by id.
    """

    categories: List[Category]
    names: Tuple[str, ...]
    raw_names: Tuple[str, ...]
    others: Dict[Any, str]

    def places(self, category: Category) -> Optional[List[Optional[int]]]:
        """Return the index of each of `names` in a category; None if they are the same."""
        if category.names == self.names:
            return None
        return [category.names.index(name) if name in category.names else None
                for name in self.names]

    def skeleton(self) -> List[List[int]]:
        """Return the limbs of the categories, counted from 1 as COCO does; no invalid ones."""
        limbs: List[List[int]] = []
        for category in self.categories:
            pairs = [[id_of(end) for end in pair] for pair in category.entry.get('skeleton') or ()]
            first = 0 if any(0 in pair for pair in pairs) else 1
            for pair in pairs:
                if len(pair) == 2 and all(isinstance(end, int) and 0 <= end - first < len(
                        category.names) for end in pair):
                    limb = [self.names.index(category.names[end - first]) + 1 for end in pair]
                    limbs += [limb] if limb not in limbs else []
        return limbs


def usual_name(name: str) -> str:
    """Return a keypoint name in the form of the topologies: 'L-Shoulder' is 'left_shoulder'."""
    name = str(name).strip().lower().replace(' ', '_').replace('-', '_')
    sides = {'l_': 'left_', 'r_': 'right_'}
    return sides[name[:2]] + name[2:] if name[:2] in sides else name


def choose_people(data: Mapping, path: str, topology: Optional[Topology],
                  names: Mapping[str, str]) -> People:
    """Choose the categories of a file whose keypoints are those of a topology.

    Without a topology they are compared with the category `person`, or with that of the most
    annotations. `names` translates names of the file. DataError if no category has keypoints.
    """
    entries = data.get('categories') or ()
    found = [_category(entry, names, path) for entry in entries if entry.get('keypoints')]
    if not found:
        raise DataError('{}: no category has keypoints; the keypoint file of COCO is '
                        'person_keypoints_*.json'.format(path))
    _check_renamed(found, names, path)
    wanted = set(topology.keypoint_names if topology else _reference(data, found))
    shared = [len(wanted & set(category.names)) for category in found]
    least = max(1, _SIMILAR * max(shared))
    chosen = [category for category, count in zip(found, shared) if count >= least] or found
    raw: Dict[str, str] = {}
    for category in chosen:
        for name, written in zip(category.names, category.entry['keypoints']):
            raw.setdefault(name, str(written))
    others = {category.id: '{} ({} of its {} keypoints)'.format(
        category.label, count, len(category.names)) for category, count in zip(found, shared)
        if category not in chosen}
    others.update((id_of(entry.get('id')), '{} (without keypoints)'.format(
        entry.get('name', entry.get('id')))) for entry in entries if not entry.get('keypoints'))
    return People(chosen, tuple(raw), tuple(raw.values()), others)


def _category(entry, names, path):
    written = entry['keypoints']
    if not isinstance(written, (list, tuple)):
        raise DataError('{}: the keypoints of the category {!r} are no list of names'.format(
            path, entry.get('name')))
    usual = tuple(names.get(name) or usual_name(name) for name in written)
    if len(set(usual)) != len(usual) or len(usual) > 255 or not all(usual):
        raise DataError('{}: category {!r}: keypoint_names must be 1 to 255 different words, not '
                        '{}'.format(path, entry.get('name'), ', '.join(map(str, written))[:300]))
    return Category(id_of(entry.get('id')), dict(entry), usual)


def _check_renamed(categories, names, path):
    written = [name for category in categories for name in category.entry['keypoints']]
    strange = [name for name in names if name not in written]
    if strange:
        raise DataError('{} has no keypoint {!r} to rename; it has {}'.format(
            path, strange[0], ', '.join(map(str, dict.fromkeys(written)))))


def _reference(data, categories) -> Sequence[str]:
    """Return the keypoints of the category of people."""
    counts = collections.Counter(id_of(entry.get('category_id'))
                                 for entry in data['annotations'])
    return max(categories, key=lambda category: (
        category.entry.get('name') == 'person', counts[category.id])).names
