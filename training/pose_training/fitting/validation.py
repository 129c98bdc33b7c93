# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Measure AP and draw crops every few epochs of a run."""
import logging
import os
import sys
import tempfile
from typing import Any, Dict

import numpy as np
import torch
from lightning.pytorch.callbacks import Callback

from pose_ros.core.errors import PoseRosError
from pose_training.exporters.agreement import decode_people
from pose_training.exporters.cards import make_form
from pose_training.exporters.export import ExportOptions, export
from pose_training.exporters.inference import inference_copy
from pose_training.fitting.crop_images import draw_fit
from pose_training.fitting.settings import ValidationConfig

_LOG = logging.getLogger('pose_training')


class ValidationCallback(Callback):
    """Measures AP by the robot's own engine and decoder, and draws fixed crops for TensorBoard.

    Both use the averaged weights; `average.averaged()` returns them. One process does it, and
    the others wait.
    """

    def __init__(self, config: ValidationConfig, average):
        self._config, self._average = config, average

    def on_train_epoch_end(self, trainer, pl_module) -> None:
        """Validate and draw in the configured epochs."""
        epoch, last = trainer.current_epoch + 1, trainer.current_epoch + 1 == trainer.max_epochs
        config = self._config
        drawn = config.drawn_crops and (epoch % config.every == 0 or last)
        measured = config.evaluate and (epoch % config.evaluate_every == 0 or last)
        if trainer.is_global_zero and (drawn or measured):
            network = inference_copy(pl_module.network)
            network.load_state_dict(self._average.averaged())
            if drawn:
                self._draw(trainer, pl_module, network)
            if measured:
                self._measure(trainer, network)
        trainer.strategy.barrier('watch')

    def _draw(self, trainer, pl_module, network):
        normalize = pl_module.normalize
        crops = trainer.datamodule.fixed_crops(self._config.drawn_crops)
        form = make_form(network, ExportOptions(size=trainer.datamodule.size), {})
        family = network.family
        for index, (image, target, _) in enumerate(crops):
            with torch.no_grad():
                batch = normalize(image[None].to(pl_module.device)).cpu()
                outputs = network(batch)[-1]
            exported = {name: value[0].numpy()
                        for name, value in family.exported(outputs).items()}
            people = decode_people(form.card, exported) \
                if form.decodable and form.card.task == 'pose' else None
            maps = family.joined(outputs)
            drawn = draw_fit(image.numpy().transpose(1, 2, 0), target.numpy(), maps[0].numpy(),
                             family, people)
            trainer.logger.experiment.add_image(
                'crop_{}'.format(index + 1), np.ascontiguousarray(drawn[..., ::-1]),
                trainer.global_step, dataformats='HWC')

    def _measure(self, trainer, network):
        try:
            figures = measure(network, self._config)
        except PoseRosError as error:  # must not end a training of days
            _LOG.warning('epoch %d: cannot measure AP: %s', trainer.current_epoch + 1, error)
            return
        for name in ('AP', 'AR', 'PCK'):
            if figures.get(name) is not None:
                trainer.logger.experiment.add_scalar('validation/' + name, figures[name],
                                                     trainer.global_step)
        print('epoch {}: AP {}, AR {}, PCK {} on {}'.format(
            trainer.current_epoch + 1, *('-' if figures.get(name) is None else
                                         '{:.4f}'.format(figures[name])
                                         for name in ('AP', 'AR', 'PCK')), self._config.evaluate),
              file=sys.stderr, flush=True)


def measure(network, config: ValidationConfig) -> Dict[str, Any]:
    """Return the figures of `pose-train evaluate` for a network, exported to a temporary file."""
    from pose_training.evaluation.evaluate import evaluate  # needs pycocotools
    size = config.evaluate_size if any(config.evaluate_size) else None
    with tempfile.TemporaryDirectory(prefix='evaluate') as folder:
        path = os.path.join(folder, 'network.onnx')
        card = export(network, path, ExportOptions(size=size))
        boxes = 'truth' if card.input.fit == 'crop' else ''
        return evaluate(path, config.evaluate, boxes=boxes, images=config.images)[0].figures
