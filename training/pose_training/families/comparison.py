# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Compare the outputs of two runs of one network."""
from typing import Dict, List, NamedTuple, Sequence

import numpy as np


class ChannelGroup(NamedTuple):
    """Channels [first, last) of an exported output that are compared together.

    `correlated`: the correlation of the group has to reach the tolerance.
    """

    name: str
    output: str
    first: int
    last: int
    correlated: bool = True


class OutputAgreement(NamedTuple):
    """Largest and mean difference over the reference's range, and correlations by group."""

    difference: float
    mean: float
    correlations: Dict[str, float]


def compare_outputs(reference: Dict[str, np.ndarray], found: Dict[str, np.ndarray],
                    groups: Sequence[ChannelGroup]) -> OutputAgreement:
    """Compare outputs (N, channels, ...) by name; differences are those of the worst output."""
    differences, means = [], []
    for name, expected in reference.items():
        span = float(expected.max() - expected.min()) or 1.0
        apart = np.abs(found[name] - expected)
        differences.append(float(apart.max()) / span)
        means.append(float(apart.mean(dtype=np.float64)) / span)
    correlations = {group.name: _correlation(*(outputs[group.output][:, group.first:group.last]
                                               for outputs in (reference, found)))
                    for group in groups if group.correlated}
    return OutputAgreement(_worst(differences), _worst(means), correlations)


def worst(agreements: Sequence[OutputAgreement]) -> OutputAgreement:
    """Return the worst of each figure."""
    return OutputAgreement(
        max(each.difference for each in agreements), max(each.mean for each in agreements),
        {name: min(each.correlations[name] for each in agreements)
         for name in agreements[0].correlations})


def _worst(values: List[float]) -> float:
    return float(np.max(values))  # NaN if any is


def _correlation(reference, found):
    a, b = (maps.astype(np.float64).ravel() - maps.mean(dtype=np.float64)
            for maps in (reference, found))
    norm = float(np.sqrt((a * a).sum() * (b * b).sum()))
    # Maps of one value have no correlation; they agree if both have one value.
    return float((a * b).sum()) / norm if norm > 1e-12 else float(np.allclose(a, b, atol=1e-6))
