# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Building blocks that several networks share."""
from torch import nn

from pose_training.models.folding import fold_batch_norm, fold_scale, fuse


class FusibleSequential(nn.Sequential):
    """A sequence of modules; for inference, linear neighbors are fused."""

    def fused(self) -> nn.Sequential:
        """Fold batch norms into the convolution before, and 1x1 scales into the one after."""
        layers = []
        for layer in fuse(nn.Sequential(*self)):
            before = layers[-1] if layers else None
            if isinstance(layer, nn.BatchNorm2d) and isinstance(before, _CONVOLUTIONS):
                layers[-1] = fold_batch_norm(before, layer)
            elif isinstance(layer, nn.Conv2d) and layer.groups == 1 and is_scale(before):
                layers[-1] = fold_scale(before, layer)
            elif not isinstance(layer, (nn.Identity, nn.Dropout, nn.Dropout2d)):
                layers.append(layer)
        return nn.Sequential(*layers)


_CONVOLUTIONS = (nn.Conv2d, nn.ConvTranspose2d)


def is_scale(module) -> bool:
    """Return whether a module only scales each channel: a bias-free 1x1 depthwise convolution."""
    return (isinstance(module, nn.Conv2d) and module.bias is None
            and module.groups == module.in_channels == module.out_channels
            and set(module.kernel_size + module.stride) == {1})


def conv(inputs: int, outputs: int, kernel: int = 3, relu: bool = True, norm: bool = False,
         bias: bool = True, **options) -> FusibleSequential:
    """Return a convolution (same size at stride 1), with optional batch norm and ReLU."""
    padding = options.pop('padding', options.get('dilation', 1) * (kernel - 1) // 2)
    layers = [nn.Conv2d(inputs, outputs, kernel, padding=padding, bias=bias, **options)]
    layers += [nn.BatchNorm2d(outputs)] * norm + [nn.ReLU(inplace=True)] * relu
    return FusibleSequential(*layers)
