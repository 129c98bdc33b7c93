# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What a training run is told: every setting, its default and its unit."""
from typing import Any, Dict, NamedTuple, Tuple

from pose_training.data.geometry import CropRange
from pose_training.data.photometric import PhotometricRange
from pose_training.data.sets import SetConfig


class ModelConfig(NamedTuple):
    """The network: `create_model(name, topology, **options)`, or the one of a checkpoint."""

    name: str = 'student'
    topology: str = 'coco_18'
    options: Dict[str, Any] = {}
    checkpoint: str = ''  # start from these weights; what is above is then the checkpoint's
    settle: int = 0       # crops whose statistics its norms take first; of an imported ONNX: 64


class DataConfig(NamedTuple):
    """What is learnt from, and what the learning is watched on."""

    train: Tuple[SetConfig, ...] = ()
    val: Tuple[SetConfig, ...] = ()
    val_crops: int = 1024               # of the validation sets, the same each time
    size: Tuple[int, int] = (288, 288)  # of the crops: width, height [px]
    sigma: float = 7.                   # of the heat maps' Gaussians [px]
    limb_width: float = 8.              # of the fields, to either side of a limb [px]
    variants: int = 64                  # crops of different geometry per photograph
    crop: CropRange = CropRange()
    photometric: PhotometricRange = PhotometricRange()
    preload: bool = True                # keep the photographs in memory
    workers: int = 2                    # loader processes per training process


class HintConfig(NamedTuple):
    """A layer of the student that shall hold what a layer of a teacher holds."""

    student: str        # name of a module, such as `pyramid`
    teacher: str        # name of a tensor of an ONNX or OpenVINO file, of a module of a .pt
    model: int = 0      # which of the teachers
    weight: float = .1  # of this in the loss


class TeacherConfig(NamedTuple):
    """Networks to learn from; none means labels alone."""

    models: Tuple[str, ...] = ()   # ONNX, OpenVINO (.xml) or checkpoints of this package (.pt)
    cards: Tuple[str, ...] = ()    # of models that carry none, in the same order
    backend: str = 'auto'
    size: Tuple[int, int] = (0, 0)  # that teachers see the crop at [px]; 0, 0: the crop's own
    weight: float = .5             # of the teacher where there are labels too
    cache: str = ''                # folder for what the teachers said
    on_device: bool = False        # in the training step, and not in the loaders: checkpoints
    points: Tuple[str, ...] = ()   # single-person networks that add joints to people in boxes
    confidence: float = .4         # of the joints that are added
    hints: Tuple[HintConfig, ...] = ()


class OptimizerConfig(NamedTuple):
    """How it is learnt."""

    epochs: int = 100
    crops_per_epoch: int = 6400
    batch: int = 32              # crops per step, over all processes
    kind: str = 'adamw'          # or muon: fewer steps for networks with batch norms
    rate: float = 1e-3
    schedule: str = 'cosine'     # after the warm-up: cosine, step or constant
    warmup: float = .02          # of all steps, in which the rate rises to `rate`
    milestones: Tuple[int, ...] = ()  # step: epochs at which the rate is multiplied ...
    factor: float = .1           # ... by this
    least: float = .01           # cosine: the last rate, as a fraction of `rate`
    rates: Dict[str, float] = {}  # factors on the rate, by the first letters of weights' names
    freeze: Dict[str, int] = {}  # steps for which weights do not move, by the first letters
    weight_decay: float = .01    # not of biases and norms
    clip: float = 1.             # norm of the gradient, 0 for no limit
    average: float = .999        # decay of the averaged weights, 0 for none
    precision: str = 'bf16'      # fp32, bf16 or fp16 (mixed)
    norm: str = 'batch'          # statistics: batch (per process), sync (GPUs), frozen
    stage_weight: float = .5     # of each stage before the last
    emphasis: float = 3.         # extra weight where the target is 1


class ValidationConfig(NamedTuple):
    """What is looked at while it runs."""

    every: int = 1        # epochs from one validation, and set of pictures, to the next
    pictures: int = 4     # fixed crops that are drawn for TensorBoard
    evaluate: str = ''    # COCO keypoint file to measure AP on, as `pose-train evaluate` does
    evaluate_every: int = 10  # epochs
    evaluate_size: Tuple[int, int] = (0, 0)  # network input for that [px]; 0, 0: the network's


class RunConfig(NamedTuple):
    """A whole run. Paths are relative to the folder in which the run is started."""

    model: ModelConfig = ModelConfig()
    data: DataConfig = DataConfig()
    teacher: TeacherConfig = TeacherConfig()
    optimizer: OptimizerConfig = OptimizerConfig()
    watch: ValidationConfig = ValidationConfig()
    seed: int = 0
    output: str = 'runs/student'
    max_to_keep: int = 3        # snapshots besides the last; 0 keeps all
    snapshot_every: int = 1     # epochs
    devices: int = 1            # processes on each node
    nodes: int = 1
    gpus: Tuple[int, ...] = ()  # which GPUs, by number; none: the first `devices`
    accelerator: str = 'auto'   # cpu, gpu, or whatever is there
    deterministic: bool = False  # slower algorithms that repeat exactly on a GPU, too
