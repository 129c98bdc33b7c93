# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Every setting of a training run, with its default, its unit and a line of help.

`pose-train fit --help` prints this list.
"""
from typing import Annotated, Any, Dict, NamedTuple, Tuple

from pose_ros.core.image_size import MAX_PIXELS
from pose_training.data.geometry import CropRange
from pose_training.data.part_ranges import PartRange
from pose_training.data.person_geometry import PersonRange
from pose_training.data.photometric import PhotometricRange
from pose_training.data.scene_geometry import SceneRange
from pose_training.data.sets import SetConfig


class ModelConfig(NamedTuple):
    """The network: `create_model(name, topology, **options)`, or that of a checkpoint."""

    name: Annotated[str, 'network, see `pose-train models`'] = 'repvgg_fpn'
    topology: Annotated[str, "keypoints to predict: a name, a YAML or JSON file with the topology "
                        "of a model card, or `dataset` (default: the network's own, or the "
                        "checkpoint's)"] = ''
    options: Annotated[Dict[str, Any], 'options of the network, such as {stages: 2}'] = {}
    checkpoint: Annotated[str, 'initial weights (.pt, .ckpt); name and options are then those of '
                               'the checkpoint; with another topology, keypoints of equal names '
                               'keep their weights'] = ''
    backbone: Annotated[str, 'checkpoint (.pt, .ckpt) of another network or skeleton: the network '
                        'begins with its layers of equal names and shapes'] = ''
    bn_calibration_crops: Annotated[
        int, 'crops used to recalibrate batch norms before training; use 64 for networks imported '
             'from ONNX'] = 0


class DataConfig(NamedTuple):
    """Training and validation data."""

    train: Annotated[Tuple[SetConfig, ...], 'datasets to train on'] = ()
    val: Annotated[Tuple[SetConfig, ...], 'datasets of the validation loss'] = ()
    val_crops: Annotated[int, 'validation crops, the same each time'] = 1024
    size: Annotated[Tuple[int, int], 'width, height of the crops [px]'] = (288, 288)
    sigma: Annotated[float, 'standard deviation of the Gaussians in heatmaps [px]'] = 7.
    limb_width: Annotated[float, 'half width of the PAFs [px]'] = 8.
    variants: Annotated[int, 'different geometries per image'] = 64
    crop: Annotated[CropRange, 'geometry of the crops'] = CropRange()
    person: Annotated[PersonRange, 'geometry of crops of single people (heatmap)'] = PersonRange()
    scene: Annotated[SceneRange, 'geometry of whole images (detection)'] = SceneRange()
    parts: Annotated[PartRange, 'targets of part detectors (part_locref, part_pairwise)'] = \
        PartRange()
    photometric: Annotated[PhotometricRange, 'changes of pixel values'] = PhotometricRange()
    preload: Annotated[bool, 'keep the images in memory'] = True
    workers: Annotated[int, 'loader processes per training process'] = 2
    max_pixels: Annotated[int, 'larger images are left out before they are decoded'] = MAX_PIXELS


class HintConfig(NamedTuple):
    """A layer of the student that is trained on the output of a teacher's layer."""

    student: Annotated[str, 'name of a module, such as pyramid']
    teacher: Annotated[str, 'tensor of an ONNX or OpenVINO file, module of a checkpoint']
    model: Annotated[int, 'index in teacher.models'] = 0
    weight: Annotated[float, 'weight in the loss'] = .1
    translate: Annotated[bool, "false: the channels are the teacher's, without a 1x1 convolution "
                         'between them'] = True


class TeacherConfig(NamedTuple):
    """Teachers; without any, the targets are only those of labels."""

    models: Annotated[Tuple[str, ...], 'ONNX, OpenVINO (.xml) or checkpoints (.pt)'] = ()
    cards: Annotated[Tuple[str, ...], 'model cards of models without one, in their order'] = ()
    backend: Annotated[str, 'engine of the teachers'] = 'auto'
    size: Annotated[Tuple[int, int], "width, height of their input [px]; 0, 0: the crop's"] = (
        0, 0)
    weight: Annotated[float, 'share of the teachers in labelled targets, 0 to 1'] = .5
    cache: Annotated[str, 'folder for their maps'] = ''
    on_device: Annotated[bool, 'run checkpoints in the training step, not in the loaders'] = False
    single_person: Annotated[Tuple[str, ...], 'single-person networks (.tflite) that add '
                             'keypoints to people with boxes'] = ()
    confidence: Annotated[float, 'least confidence of the added keypoints, 0 to 1'] = .4
    hints: Annotated[Tuple[HintConfig, ...], 'layers trained on layers of teachers'] = ()
    forcing: Annotated[bool, "layers after a hint get the teacher's output in place of the "
                       "student's: every part is trained by itself"] = False


class OptimizerConfig(NamedTuple):
    """Optimizer and schedule."""

    epochs: Annotated[int, 'length of the training'] = 100
    crops_per_epoch: Annotated[int, 'crops of one epoch'] = 6400
    batch: Annotated[int, 'crops per step, over all processes'] = 32
    name: Annotated[str, 'adamw; muon: fewer steps for networks with batch norms; sgd: with '
                    'momentum 0.9'] = 'adamw'
    lr: Annotated[float, 'learning rate after the warm-up'] = 1e-3
    schedule: Annotated[str, 'after the warm-up: cosine, step, constant or multi_step'] = 'cosine'
    warmup: Annotated[float, 'share of all steps in which the learning rate rises to lr'] = .02
    milestones: Annotated[Tuple[int, ...], 'schedule step: epochs at which the learning rate is '
                          'multiplied by factor'] = ()
    factor: Annotated[float, 'see milestones'] = .1
    multi_step: Annotated[Tuple[Tuple[float, int], ...], 'schedule multi_step: learning rates, '
                          'and the last step of each'] = ()
    min_lr_ratio: Annotated[float, 'schedule cosine: last learning rate over lr'] = .01
    lr_multipliers: Annotated[Dict[str, float], 'factors on lr by prefix of the weight names'] = {}
    norm_lr: Annotated[float, 'factor on lr for biases and batch norms'] = 1.
    freeze: Annotated[Dict[str, int], 'steps without updates by prefix of the weight names'] = {}
    weight_decay: Annotated[float, 'not for biases and norms'] = .01
    grad_clip_norm: Annotated[float, 'largest norm of the gradient; 0: no limit'] = 1.
    ema_decay: Annotated[float, 'decay of the averaged weights; 0: no average'] = .999
    precision: Annotated[str, 'fp32, bf16 or fp16 (mixed)'] = 'bf16'
    norm: Annotated[str, 'statistics of batch norms: batch (per process), sync (GPUs), '
                    'frozen'] = 'batch'
    stage_weight: Annotated[float, 'weight of the loss of each stage before the last'] = .5
    foreground_weight: Annotated[float, 'extra weight of a cell per unit of its target'] = 3.
    hard_keypoints: Annotated[int, 'networks of crops: only this number of keypoints of a crop, '
                              'those with the largest errors, count; 0: all'] = 0


class ValidationConfig(NamedTuple):
    """Validation and logging."""

    every: Annotated[int, 'interval of the validation and of drawn crops [epochs]'] = 1
    drawn_crops: Annotated[int, 'fixed crops that are drawn for TensorBoard'] = 4
    evaluate: Annotated[str, 'COCO keypoint file to measure AP on, as pose-train evaluate'] = ''
    images: Annotated[str, 'folder of its images (default: that of the file)'] = ''
    evaluate_every: Annotated[int, 'interval of that [epochs]'] = 10
    evaluate_size: Annotated[Tuple[int, int], 'width, height of the network input for that [px]; '
                             "0, 0: the network's"] = (0, 0)


class RunConfig(NamedTuple):
    """A training run. Paths are relative to the folder in which the run is started."""

    model: ModelConfig = ModelConfig()
    data: DataConfig = DataConfig()
    teacher: TeacherConfig = TeacherConfig()
    optimizer: OptimizerConfig = OptimizerConfig()
    validation: ValidationConfig = ValidationConfig()
    seed: Annotated[int, 'of all random numbers'] = 0
    output: Annotated[str, 'folder of the run'] = 'runs/pose'
    max_to_keep: Annotated[int, 'snapshots besides the last; 0: all'] = 3
    snapshot_every: Annotated[int, 'interval of snapshots [epochs]'] = 1
    devices: Annotated[int, 'processes on each node'] = 1
    nodes: Annotated[int, 'computers'] = 1
    gpus: Annotated[Tuple[int, ...], 'GPUs by number; none: the first `devices`'] = ()
    emptiest_gpus: Annotated[bool, 'use the GPUs with the least memory in use, by '
                             'nvidia-smi'] = False
    memory_fraction: Annotated[float, 'share of the memory of each GPU that a process may take'] \
        = 1.
    autotune: Annotated[bool, 'let cuDNN try its algorithms for each size, and take the '
                        'fastest'] = True
    accelerator: Annotated[str, 'auto, cpu or gpu'] = 'auto'
    deterministic: Annotated[bool, 'slower algorithms that repeat exactly on a GPU, too'] = False
