# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Recalibrate batch norms that have lost their statistics on crops of the training."""
import torch
from lightning.pytorch.callbacks import Callback
from torch import nn, Tensor


class SettleNorms(Callback):
    """Recalibrates the norms on some crops before the first step; see `settle_norms`."""

    def __init__(self, crops: int):
        self._crops = crops

    def on_fit_start(self, trainer, pl_module) -> None:
        """Run on the same crops in every process."""
        images = torch.stack([crop[0] for crop in trainer.datamodule.fixed_crops(self._crops)])
        settle_norms(pl_module.network, pl_module.normalize(images.to(pl_module.device)))


class BeginWithData(Callback):
    """Gives the network what it knows of its training data before the first step."""

    def on_fit_start(self, trainer, pl_module) -> None:
        """See Family.begin."""
        trainer.datamodule.begin(pl_module.network)


@torch.no_grad()
def settle_norms(network: nn.Module, images: Tensor) -> None:
    """Set the statistics of each batch norm to those of its input for normalized `images`.

    Scale and offset are changed so that the outputs of the network in evaluation stay the same;
    the outputs in training become nearly the same. Those of a norm that was never trained stay 1
    and 0: its layer has no weights yet whose outputs were worth keeping.
    """
    layers = [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)]
    handles = [layer.register_forward_pre_hook(_settle) for layer in layers]
    training = network.training
    try:
        network.eval()(images)
    finally:
        network.train(training)
        for handle in handles:
            handle.remove()


def _settle(norm, inputs):
    features = inputs[0].float()
    variance, mean = torch.var_mean(features, (0, 2, 3), correction=0)
    if not _fresh(norm):
        _keep_outputs(norm, mean, variance)
    norm.running_mean.copy_(mean)
    norm.running_var.copy_(variance)


def _fresh(norm):
    return bool((norm.weight == 1).all() and (norm.bias == 0).all()
                and (norm.running_mean == 0).all() and (norm.running_var == 1).all())


def _keep_outputs(norm, mean, variance):
    slope = norm.weight / (norm.running_var + norm.eps).sqrt()
    norm.bias += (mean - norm.running_mean) * slope
    norm.weight.copy_(slope * (variance + norm.eps).sqrt())
