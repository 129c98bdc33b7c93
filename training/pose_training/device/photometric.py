# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Color, light, blur, noise and occlusion of batches on the device, drawn per image.

Images are (N, 3, h, w) float32 BGR of 0..255.
"""
from typing import Tuple

import torch
from torch import Tensor
from torch.nn import functional

_GRAY = (.114, .587, .299)  # of blue, green, red (ITU-R BT.601)


def chance(count: int, probability: float, device: torch.device) -> Tensor:
    """Return (N, 1, 1, 1) of 0 and 1."""
    return (torch.rand(count, 1, 1, 1, device=device) < probability).float()


def uniform(count: int, low: float, high: float, device: torch.device,
            channels: int = 1) -> Tensor:
    """Return (N, channels, 1, 1) between low and high."""
    return torch.rand(count, channels, 1, 1, device=device) * (high - low) + low


def recolored(images: Tensor, strength: float = 1.) -> Tensor:
    """Change saturation, contrast, tint, brightness and gamma; some images become gray or dark."""
    count, device = len(images), images.device
    gray = (images * images.new_tensor(_GRAY)[:, None, None]).sum(1, keepdim=True)
    saturation = uniform(count, 1 - .6 * strength, 1 + .6 * strength, device) \
        * (1 - chance(count, .07, device))
    images = gray + (images - gray) * saturation
    tint = uniform(count, 1 - .15 * strength, 1 + .15 * strength, device, 3)
    tint = 1 + (tint - 1) * chance(count, .5, device)
    mean = images.mean((1, 2, 3), keepdim=True)
    contrast = uniform(count, 1 - .35 * strength, 1 + .35 * strength, device)
    images = ((images - mean) * contrast + mean) * tint \
        + uniform(count, -25, 25, device) * strength
    gamma = torch.exp(uniform(count, -.4, .4, device) * strength)
    images = 255 * (images.clamp(0, 255) / 255 + 1e-4) ** gamma
    return images * (1 - chance(count, .05, device) * uniform(count, .4, .8, device))


def softened(images: Tensor, probability: float = .2) -> Tensor:
    """Blur some images, like a low resolution or a soft lens."""
    count, device = len(images), images.device
    half, quarter = (functional.interpolate(functional.avg_pool2d(images, factor),
                                            images.shape[2:], mode='bilinear')
                     for factor in (2, 4))
    blurred = torch.where(torch.rand(count, 1, 1, 1, device=device) < .3, quarter, half)
    share = chance(count, probability, device) * uniform(count, .4, 1, device)
    return images + (blurred - images) * share


def noisy(images: Tensor, probability: float = .2, deviation: float = 12.) -> Tensor:
    """Add normal noise of at most a standard deviation to some images."""
    count, device = len(images), images.device
    scale = chance(count, probability, device) * uniform(count, 2, deviation, device)
    return images + torch.randn_like(images) * scale


def covered(images: Tensor, probability: float, patches: int,
            extent: Tuple[float, float]) -> Tensor:
    """Cover parts with rectangles of another image of the batch, or of one color.

    `extent`: range of their sides as a share of the height.
    """
    count, _, height, width = images.shape
    device = images.device
    rows = torch.arange(height, device=device)[None, None, :, None]
    columns = torch.arange(width, device=device)[None, None, None, :]
    for number in range(patches):
        high, wide = (uniform(count, *extent, device) * height for _ in range(2))
        y, x = uniform(count, 0, height, device), uniform(count, 0, width, device)
        inside = ((rows - y).abs() < high / 2) & ((columns - x).abs() < wide / 2)
        inside = inside.float() * chance(count, probability, device)
        color = uniform(count, 0, 255, device, 3).expand_as(images)
        fill = torch.where(chance(count, .5, device) > 0, images.roll(number + 1, 0), color)
        images = images + (fill - images) * inside
    return images
