# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Format results as tables and as JSON data."""
from typing import Any, Dict, Iterator, List, Sequence

from pose_ros.core import PoseEstimator
from pose_ros.core.files import sha256
from pose_training.evaluation.evaluate import Evaluation
from pose_training.evaluation.metrics import TOLERANCE

_NOTHING = '-'
_MEANING = {
    'PCK': 'PCK@{:g}'.format(TOLERANCE), 'swapped': 'left/right swapped', 'images': 'images',
    'images_left_out': '... left out',
    'labelled_people': 'people labelled', 'found_people': 'people found',
    'empty_images': 'empty images', 'empty_images_clean': '... none found',
    'milliseconds_median': 'ms median', 'milliseconds_p90': 'ms 90th percentile'}


def tables(results: Sequence[Evaluation]) -> Iterator[str]:
    """Yield the lines of one table of all figures, and of one per dataset of its keypoints."""
    width = max([12] + [len(result.name) + 2 for result in results])
    yield '{:<20}'.format('') + ''.join(result.name.rjust(width) for result in results)
    for key in results[0].figures:
        yield '{:<20}'.format(_MEANING.get(key, key.replace('_', ' '))) + ''.join(
            _shown(result.figures[key], key).rjust(width) for result in results)
    for result in results:
        if any(keypoint.labelled for keypoint in result.keypoints):
            yield ''
            yield '{:<20}{:>10}{:>10}{:>10}'.format(result.name, 'labelled', 'PCK', 'swapped')
            for keypoint in result.keypoints:
                yield '{:<20}{:>10}{:>10}{:>10}'.format(keypoint.name, keypoint.labelled, *(
                    _shown(value, '') for value in (keypoint.found, keypoint.swapped)))


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
