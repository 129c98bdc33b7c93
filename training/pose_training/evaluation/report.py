# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Format results as tables and as JSON data."""
from typing import Any, Dict, Iterator, List, Sequence

from pose_ros.core import PoseEstimator
from pose_ros.core.files import sha256
from pose_training.evaluation.evaluate import Evaluation
from pose_training.evaluation.metrics import Pck

_NOTHING = '-'
_MEANING = {
    'swapped': 'left/right swapped', 'images': 'images',
    'images_left_out': '... left out',
    'labelled_people': 'people labelled', 'found_people': 'people found',
    'empty_images': 'empty images', 'empty_images_clean': '... none found',
    'milliseconds_median': 'ms median', 'milliseconds_p90': 'ms 90th percentile'}


def tables(results: Sequence[Evaluation], pck: Pck = Pck()) -> Iterator[str]:
    """Yield the lines of one table of all figures, and of those of each dataset.

    These are of its keypoints, and of the measures of a benchmark.
    """
    width = max([12] + [len(result.name) + 2 for result in results])
    yield '{:<20}'.format('') + ''.join(result.name.rjust(width) for result in results)
    for key in dict.fromkeys(key for result in results for key in result.figures):
        meaning = 'PCK@{:g}'.format(pck.share) if key == 'PCK' else _MEANING.get(
            key, key.replace('_', ' '))
        yield '{:<20}'.format(meaning) + ''.join(
            _shown(result.figures.get(key), key).rjust(width) for result in results)
    for result in results:
        if any(keypoint.labelled for keypoint in result.keypoints):
            yield ''
            yield '{:<20}{:>10}{:>10}{:>10}'.format(result.name, 'labelled', 'PCK', 'swapped')
            for keypoint in result.keypoints:
                yield '{:<20}{:>10}{:>10}{:>10}'.format(keypoint.name, keypoint.labelled, *(
                    _shown(value, '') for value in (keypoint.found, keypoint.swapped)))
        for measures in _alike(result.tables):
            yield ''
            yield '{:<20}'.format(result.name) + ''.join(
                measure.rjust(15) for measure in measures)
            for row in result.tables[measures[0]]:
                yield '{:<20}'.format(row) + ''.join(
                    _shown(result.tables[measure][row], '').rjust(15) for measure in measures)


def _alike(measures) -> List[List[str]]:
    """Return the names of the measures, those with the same rows together."""
    groups: Dict[Any, List[str]] = {}
    for name, table in measures.items():
        groups.setdefault(tuple(table), []).append(name)
    return list(groups.values())


def _shown(value, key):
    if value is None:
        return _NOTHING
    if isinstance(value, int):
        return str(value)
    return '{:.1f}'.format(value) if key.startswith('milliseconds') else '{:.3f}'.format(value)


def as_data(estimator: PoseEstimator, results: List[Evaluation]) -> Dict[str, Any]:
    """Return the results, the datasets and the conditions as JSON data."""
    engine = estimator.network.engine.describe()
    spec = estimator.card.input
    others = [network.engine.describe() for network in getattr(estimator, 'networks', ())
              if network is not estimator.network]
    return {'model': estimator.card.name, 'version': estimator.card.version,
            'sha256': sha256(engine.model), 'engine': dict(engine._asdict()),
            'network_input': [spec.width, spec.height], 'settings': estimator.settings,
            'other_models': [{'sha256': sha256(other.model), 'engine': dict(other._asdict())}
                             for other in others],
            'results': [dict(result._asdict(), keypoints=[keypoint._asdict()
                                                          for keypoint in result.keypoints])
                        for result in results]}
