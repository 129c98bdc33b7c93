# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Group norms (Wu and He, arXiv:1803.08494) that every parser of ONNX files reads."""
import torch
from torch import nn, Tensor
from torch.nn import functional


class GroupNorm(nn.GroupNorm):
    """A group norm without reshapes in its ONNX graph.

    PyTorch exports one as reshapes to sizes that are computed at run time, which TensorRT rejects.
    """

    def forward(self, features: Tensor) -> Tensor:  # type: ignore[override]
        """Normalize (N, c, h, w) over the pixels and channels of each group."""
        if not torch.onnx.is_in_onnx_export():
            return super().forward(features)
        centered = features - self._group_mean(features)
        variance = self._group_mean(centered * centered)
        weight, bias = (values.view(1, -1, 1, 1) for values in (self.weight, self.bias))
        return centered / torch.sqrt(variance + self.eps) * weight + bias

    def _group_mean(self, features):
        """Return (N, c, 1, 1): a mean per channel, then a convolution that averages a group."""
        members = self.num_channels // self.num_groups
        share = torch.full((self.num_channels, members, 1, 1), 1. / members)
        return functional.conv2d(functional.adaptive_avg_pool2d(features, 1), share, None,
                                 groups=self.num_groups)
