# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Assign people to cells, and compute the losses of a detector.

Task-aligned assignment (Feng et al., TOOD, arXiv:2108.07755), quality focal loss (Li et al.,
arXiv:2006.04388), generalized IoU (Rezatofighi et al., arXiv:1902.09630). Boxes are left, top,
right, bottom [px], counted from the outer edge of pixel 0.
"""
from typing import Dict, NamedTuple, Tuple

import torch
from torch import Tensor
from torch.nn import functional

_MOST = 9                 # cells per person
_SCORE_POWER, _IOU_POWER = .5, 4.
_LEAST_HALF = .75         # cells: least half width and height of a box in the assignment
_FOCUS = 1.5
_BOX_WEIGHT = 2.
_LIMIT = 6.               # of the logarithms of distances


class Cells(NamedTuple):
    """Centers (A, 2) [px] and strides (A,) of the cells of all strides."""

    centers: Tensor
    strides: Tensor


def cells_of(outputs: Dict[str, Tensor]) -> Cells:
    """Return the cells of outputs (N, 5, h, w) named stride_8 and so on, stride by stride."""
    centers, strides = [], []
    for name, value in outputs.items():
        stride, (height, width) = int(name.rpartition('_')[2]), value.shape[2:]
        y, x = torch.meshgrid(torch.arange(height, device=value.device),
                              torch.arange(width, device=value.device), indexing='ij')
        centers.append((torch.stack([x.flatten(), y.flatten()], 1) + .5) * stride)
        strides.append(torch.full((height * width,), float(stride), device=value.device))
    return Cells(torch.cat(centers), torch.cat(strides))


def flat(outputs: Dict[str, Tensor]) -> Tensor:
    """Return (N, 5, A): the cells of all strides, row by row."""
    # Whole numbers, not sizes of tensors: an exported file must not compute shapes.
    return torch.cat([value.reshape(-1, *_row(value)) for value in outputs.values()], 2)


def _row(value):
    channels, height, width = (int(side) for side in value.shape[1:])
    return channels, height * width


def decode(raw: Tensor, cells: Cells) -> Tuple[Tensor, Tensor]:
    """Return boxes (N, A, 4) [px] and logits (N, A) of raw outputs (N, 5, A)."""
    sides = raw[:, :4].clamp(-_LIMIT, _LIMIT).exp().transpose(1, 2) * cells.strides[:, None]
    corners = cells.centers - sides[..., :2], cells.centers + sides[..., 2:]
    return torch.cat(corners, 2), raw[:, 4]


def _area(boxes):
    return (boxes[..., 2] - boxes[..., 0]).clamp(min=0) \
        * (boxes[..., 3] - boxes[..., 1]).clamp(min=0)


def _pair_iou(boxes, truth):
    """Return the IoU (N, M, A) of truth (N, M, 4) with boxes (N, A, 4)."""
    low = torch.maximum(truth[:, :, None, :2], boxes[:, None, :, :2])
    high = torch.minimum(truth[:, :, None, 2:], boxes[:, None, :, 2:])
    shared = (high - low).clamp(min=0).prod(3)
    return shared / (_area(truth)[:, :, None] + _area(boxes)[:, None] - shared).clamp(min=1e-6)


def _inside(truth, cells, margin=0.):
    """Return (N, M, A): the cells whose centers lie in the boxes."""
    middle, half = (truth[..., :2] + truth[..., 2:]) / 2, (truth[..., 2:] - truth[..., :2]) / 2
    half = torch.maximum(half[:, :, None], margin * cells.strides[None, None, :, None])
    return ((cells.centers - middle[:, :, None]).abs() < half).all(3)


@torch.no_grad()
def assign(boxes: Tensor, logits: Tensor, truth: Tensor, label: Tensor,
           cells: Cells) -> Tuple[Tensor, Tensor, Tensor]:
    """Return qualities (N, A), the person (index of M) of each cell, and the assigned cells.

    boxes (N, A, 4) and logits (N, A) as predicted; truth (N, M, 4) with label (N, M): 1 person, 0
    region to ignore, -1 nothing. A quality is 0 without a person.
    """
    iou = _pair_iou(boxes, truth)
    candidate = _inside(truth, cells, _LEAST_HALF) & (label > 0)[:, :, None]
    metric = logits.sigmoid()[:, None] ** _SCORE_POWER * iou ** _IOU_POWER * candidate \
        + 1e-9 * candidate
    top = metric.topk(min(_MOST, metric.shape[2]), 2)
    chosen = torch.zeros_like(candidate).scatter(2, top.indices, top.values > 0)
    # A cell of several people is assigned to the one with the largest overlap.
    best = (iou * chosen).masked_fill(~chosen, -1).max(1)
    positive, owner = best.values >= 0, best.indices
    own = chosen & (torch.arange(truth.shape[1], device=truth.device)[:, None] == owner[:, None])
    metric = metric * own
    strongest = metric.amax(2, keepdim=True).clamp(min=1e-12)
    quality = (metric / strongest * (iou * own).amax(2, keepdim=True)).amax(1) * positive
    ignored = (_inside(truth, cells) & (label == 0)[:, :, None]).any(1)
    return quality.clamp(0, 1), owner, positive | ~ignored


def generalized_iou(first: Tensor, second: Tensor) -> Tensor:
    """Return the generalized IoU (...) of boxes (..., 4)."""
    low = torch.maximum(first[..., :2], second[..., :2])
    high = torch.minimum(first[..., 2:], second[..., 2:])
    shared = (high - low).clamp(min=0).prod(-1)
    union = _area(first) + _area(second) - shared
    hull = (torch.maximum(first[..., 2:], second[..., 2:])
            - torch.minimum(first[..., :2], second[..., :2])).prod(-1)
    return shared / union.clamp(min=1e-6) - (hull - union) / hull.clamp(min=1e-6)


def detection_loss(outputs: Dict[str, Tensor], truth: Tensor, label: Tensor) -> Tensor:
    """Return the loss of outputs (N, 5, h, w) by stride; truth and label as in `assign`."""
    cells = cells_of(outputs)
    boxes, logits = decode(flat(outputs).float(), cells)
    quality, owner, counted = assign(boxes, logits, truth, label, cells)
    total = quality.sum().clamp(min=1)
    focus = (logits.sigmoid().detach() - quality).abs() ** _FOCUS
    score = (functional.binary_cross_entropy_with_logits(logits, quality, reduction='none')
             * focus * counted).sum() / total
    wanted = truth.gather(1, owner[..., None].expand(-1, -1, 4))
    return score + _BOX_WEIGHT * ((1 - generalized_iou(boxes, wanted)) * quality).sum() / total
