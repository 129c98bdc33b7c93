# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""ResNet backbones (He et al., arXiv:1512.03385) with the state names of torchvision.

The stride of a bottleneck is in its 3x3 convolution, as there; with `stride_first` in its first
one, as in the networks of Caffe. The classifier is left out.
"""
from collections import OrderedDict
from typing import Callable, Sequence, Tuple

from torch import Tensor, nn
from torch.nn import functional

from pose_training.models.blocks import FusibleSequential

# Name -> (whether blocks are bottlenecks, blocks at strides 4, 8, 16 and 32).
RESNETS = {
    'resnet18': (False, (2, 2, 2, 2)),
    'resnet34': (False, (3, 4, 6, 3)),
    'resnet50': (True, (3, 4, 6, 3)),
    'resnet101': (True, (3, 4, 23, 3)),
    'resnet152': (True, (3, 8, 36, 3)),
}
_WIDTHS = (64, 128, 256, 512)


class Residual(nn.Module):
    """ReLU of a branch plus a shortcut."""

    def __init__(self, branch: nn.Module, shortcut: nn.Module):
        super().__init__()
        self.branch = branch
        self.shortcut = shortcut

    def forward(self, features: Tensor) -> Tensor:
        """Add both outputs for (N, c, h, w), and apply ReLU."""
        return functional.relu(self.branch(features) + self.shortcut(features))


class ResidualBlock(nn.Sequential):
    """A Residual with its published names: conv1, bn1, conv2, bn2, ..., downsample.

    `steps` are (kernel, outputs, stride) of the convolutions, the 3x3 ones with `dilation`; `norm`
    makes a norm for a number of channels. `downsample` projects the input if its channels change,
    takes every n-th pixel if only its size changes, and is empty otherwise.
    """

    def __init__(self, inputs: int, steps: Sequence[Tuple[int, int, int]], dilation: int = 1,
                 norm: Callable[[int], nn.Module] = nn.BatchNorm2d):
        layers, channels, reduction = OrderedDict(), inputs, 1
        for number, (kernel, outputs, stride) in enumerate(steps, 1):
            layers['conv{}'.format(number)] = nn.Conv2d(
                channels, outputs, kernel, stride, padding=kernel // 2 * dilation,
                dilation=dilation if kernel > 1 else 1, bias=False)
            layers['bn{}'.format(number)] = norm(outputs)
            layers['relu{}'.format(number)] = nn.ReLU(inplace=True)
            channels, reduction = outputs, reduction * stride
        del layers['relu{}'.format(len(steps))]  # the last one is after the sum
        layers['downsample'] = FusibleSequential()
        if inputs != channels:
            layers['downsample'] = FusibleSequential(nn.Conv2d(inputs, channels, 1, reduction,
                                                               bias=False), norm(channels))
        elif reduction > 1:
            layers['downsample'] = FusibleSequential(nn.MaxPool2d(1, reduction))
        super().__init__(layers)

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, inputs, h, w) to (N, outputs, h / stride, w / stride)."""
        *branch, shortcut = self
        result = features
        for layer in branch:
            result = layer(result)
        return functional.relu(result + shortcut(features))

    def fused(self) -> Residual:
        """Return the block with its batch norms folded into the convolutions."""
        *branch, shortcut = self
        return Residual(FusibleSequential(*branch).fused(), shortcut.fused())


def resnet(name: str, stride_first: bool = False) -> Tuple[FusibleSequential, int]:
    """Return one of RESNETS from (N, 3, h, w) to (N, channels, h / 32, w / 32), and channels."""
    bottleneck, counts = RESNETS[name]
    layers = OrderedDict(conv1=nn.Conv2d(3, 64, 7, 2, padding=3, bias=False),
                         bn1=nn.BatchNorm2d(64), relu=nn.ReLU(inplace=True),
                         maxpool=nn.MaxPool2d(3, 2, padding=1))
    channels = 64
    for level, (width, count) in enumerate(zip(_WIDTHS, counts), 1):
        blocks = []
        for number in range(count):
            stride = 2 if level > 1 and number == 0 else 1
            blocks.append(ResidualBlock(channels, _steps(width, stride, bottleneck,
                                                         stride_first)))
            channels = 4 * width if bottleneck else width
        layers['layer{}'.format(level)] = nn.Sequential(*blocks)
    return FusibleSequential(layers), channels


def _steps(width, stride, bottleneck, stride_first):
    if bottleneck and stride_first:
        return (1, width, stride), (3, width, 1), (1, 4 * width, 1)
    if bottleneck:
        return (1, width, 1), (3, width, stride), (1, 4 * width, 1)
    return (3, width, stride), (3, width, 1)
