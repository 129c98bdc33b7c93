# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The losses of part detectors: cross entropy of score maps, Huber loss of vectors."""
from torch import Tensor
from torch.nn import functional


def cross_entropy(logits: Tensor, target: Tensor, weights: Tensor,
                  foreground_weight: float) -> Tensor:
    """Return the weighted mean of the sigmoid cross entropy over the cells with a weight.

    A positive cell has the weight 1 + foreground_weight.
    """
    losses = functional.binary_cross_entropy_with_logits(logits.float(), target, reduction='none')
    return (losses * weights * (1 + foreground_weight * target)).sum() \
        / weights.count_nonzero().clamp(min=1)


def huber(found: Tensor, target: Tensor, weights: Tensor) -> Tensor:
    """Return the weighted mean of the Huber loss (quadratic up to 1) over the known values."""
    losses = functional.huber_loss(found.float(), target, reduction='none')
    return (losses * weights).sum() / weights.count_nonzero().clamp(min=1)
