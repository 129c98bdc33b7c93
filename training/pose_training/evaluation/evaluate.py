# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Measure a model from a program: `evaluate('model.onnx', 'val.json')`."""
import contextlib
import os
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Union

from pose_ros.core import PoseEstimator
from pose_ros.core.card_files import load_card
from pose_ros.core.given_boxes import GivenBoxes
from pose_ros.core.image_size import MAX_PIXELS
from pose_training.errors import ConfigError
from pose_training.evaluation.boxes import box_figures, BoxFinder, find_boxes
from pose_training.evaluation.detections import Conditions, detect
from pose_training.evaluation.failures import write_failures
from pose_training.evaluation.labels import read_labels
from pose_training.evaluation.metrics import figures, keypoint_figures, KeypointFigures, Pck
from pose_training.evaluation.pckh import has_heads, pckh_figures
from pose_training.evaluation.posetrack import has_tracks, posetrack_figures
from pose_training.evaluation.result_files import write_results
from pose_training.evaluation.test_time_augmentation import augmented


class Evaluation(NamedTuple):
    """The results of one model on one dataset.

    `figures` are shares from 0 to 1 (AP ... AR_large, PCK, swapped, empty_images_clean), counts
    and milliseconds; None if the dataset has nothing to measure. `failures` are the paths of the
    drawn images. `tables` {measure: {keypoint or group: share}} are those of PCKh, if people have
    head boxes, and of PoseTrack.
    """

    name: str
    data: str
    protocol: str
    figures: Dict[str, Any]
    keypoints: List[KeypointFigures]
    failures: List[str]
    tables: Dict[str, Dict[str, Optional[float]]] = {}


def evaluate(model: Union[str, PoseEstimator], data: Union[str, Sequence[str]], *,
             flip: bool = False, scales: Sequence[float] = (1.,), failures: Optional[str] = None,
             worst: int = 20, progress: Callable = iter, settings: Optional[Dict[str, Any]] = None,
             boxes: str = '', images: str = '', max_pixels: int = MAX_PIXELS,
             pck: Pck = Pck(), results: str = '', form: str = 'coco', fps: float = 25.,
             **engine) -> List[Evaluation]:
    """Measure a model on COCO keypoint files and folders of images without people.

    model: a file for the robot or a loaded estimator; `settings` of the decoder and `engine`
    (card, input_size, backend, threads, detector, ...: see PoseEstimator) are only for a file. For
    a detector the figures are those of its boxes. boxes: 'truth' uses the labelled boxes for a
    network of crops, instead of a detector's; another text is a file of COCO detection results
    with their boxes. flip, scales: also average mirrored views and views of these relative sizes.
    failures: a folder for drawings of the `worst` images of each dataset.
    progress: wraps the list of images, as tqdm does. images: the folder of the images (default:
    that of each file); images that are missing, damaged or too large (`max_pixels`) are left out.
    results, form: write the people found, of one dataset, as write_results. fps: of videos.

    Raises DataError for an invalid dataset, before anything runs, and what PoseEstimator raises.
    """
    paths = [data] if isinstance(data, (str, os.PathLike)) else list(data)
    datasets = _read(paths, _topology(model, engine.get('card')), images, max_pixels)
    estimator = load(model, settings, **engine)
    _check_kind(estimator, datasets, form if results else '')
    with contextlib.ExitStack() as stack:
        if estimator is not model:
            stack.callback(estimator.close)
        if isinstance(estimator, BoxFinder):
            _refuse_views(estimator, flip, scales, failures, boxes)
            return [_boxes(estimator, *dataset, progress)
                    for dataset in zip(_names(paths), datasets)]
        several = _viewing(estimator, flip, scales, boxes)
        if several is not estimator:
            stack.callback(several.close)
        conditions = Conditions(boxes if boxes in ('', 'truth') else GivenBoxes(boxes), fps)
        line, files = protocol(estimator, flip, scales, boxes, pck), _Files(
            failures, worst, results, form)
        return [_measured(name, line, detect(several, labels, progress, conditions), pck, files)
                for name, labels in zip(_names(paths), datasets)]


def _read(paths, topology, images, max_pixels):
    return [read_labels(os.fspath(path), topology, images)._replace(max_pixels=max_pixels)
            for path in paths]


class _Files(NamedTuple):
    """What is written: drawings of the worst images, the people found; see `evaluate`."""

    failures: Optional[str]
    worst: int
    results: str
    form: str


def _measured(name, line, found, pck, files) -> Evaluation:
    drawn = write_failures(found, os.path.join(files.failures, name), files.worst) \
        if files.failures else []
    if files.results:
        write_results(found, files.results, files.form)
    keypoints = keypoint_figures(found, pck)
    totals, tables = figures(found, keypoints), {}
    for applies, measure in ((has_heads, pckh_figures), (has_tracks, posetrack_figures)):
        if applies(found):
            more, shown = measure(found)
            totals.update(more)
            tables.update(shown)
    return Evaluation(name, found.labels.path, line, totals, keypoints, drawn, tables)


def _check_kind(estimator, datasets, form):
    """Check that the datasets suit tracking and the form of the results ('' without any)."""
    if form and len(datasets) > 1:
        raise ConfigError('a result file is for one dataset, not for {}'.format(len(datasets)))
    tracking = any(stage.name == 'tracking' for stage in getattr(estimator, 'stages', ()))
    for labels in datasets if tracking or form == 'posetrack' else ():
        if not any(image.sequence for image in labels.images):
            raise ConfigError('{}: its images have no `sequence` and `frame`: {} for videos, see '
                              'pose-train convert posetrack'.format(
                                  labels.path, 'tracking is' if tracking else
                                  'result files of PoseTrack are'))


def _boxes(finder, name, labels, progress):
    found = find_boxes(finder, labels, progress)
    return Evaluation(name, labels.path, protocol(finder, False, (1.,)),
                      box_figures(found, finder.min_score), [], [])


def _refuse_views(finder, flip, scales, failures, boxes):
    if flip or tuple(scales) != (1.,) or failures or boxes:
        raise ConfigError('{} is a detector: it is measured without mirrored images, other '
                          'scales, drawings of failures and boxes of labels'.format(
                              finder.card.name))


def _viewing(estimator, flip, scales, boxes):
    """Return an estimator that averages the views; a network of crops has its own option."""
    if estimator.card.input.fit != 'crop':
        if boxes:
            raise ConfigError('{} takes whole images: boxes are for a network of crops'.format(
                estimator.card.name))
        return augmented(estimator, flip, scales)
    if tuple(scales) != (1.,):
        raise ConfigError('{} is a network of crops: it has no other scales'.format(
            estimator.card.name))
    if boxes and len(estimator.networks) > 1:
        raise ConfigError('given boxes replace those of a detector: leave one of them out')
    estimator.configure(**{'top_down.mirror_test': flip})
    if boxes:
        estimator.configure(**{'top_down.max_people': 1000})
    return estimator


def _topology(model, card):
    """Return the keypoints of a model; None of a detector."""
    if not isinstance(model, (str, os.PathLike)):
        return model.card.topology
    refuse_checkpoint(model)
    return load_card(os.fspath(model), card).topology


def load(model: Union[str, PoseEstimator], settings=None,
         **engine) -> Union[PoseEstimator, BoxFinder]:
    """Load a model for `evaluate`."""
    if not isinstance(model, (str, os.PathLike)):
        if settings or engine:
            raise ConfigError('{} cannot be changed for a model that is loaded already; configure '
                              'the estimator, or name the file'.format(
                                  ', '.join(sorted(engine)) or 'settings'))
        return model
    refuse_checkpoint(model)
    if load_card(os.fspath(model), engine.get('card')).task == 'detection':
        return BoxFinder(os.fspath(model), settings=settings, **engine)
    estimator = PoseEstimator(os.fspath(model), **engine)
    estimator.configure(**settings or {})
    return estimator


def refuse_checkpoint(model) -> None:
    """Raise ConfigError for a file of weights: only files for the robot are measured."""
    if os.fspath(model).lower().endswith(('.pt', '.ckpt')):
        raise ConfigError('{0} is a checkpoint, but only files for the robot are measured: '
                          'pose-train export {0} -o model.onnx'.format(model))


def protocol(estimator: Union[PoseEstimator, BoxFinder], flip: bool, scales: Sequence[float],
             boxes: str = '', pck: Pck = Pck()) -> str:
    """Return a line that describes the conditions of the figures."""
    spec = estimator.card.input
    size = '{}x{}'.format(spec.width, spec.height)
    if spec.fit == 'crop':
        source = 'the labelled boxes' if boxes == 'truth' else 'the boxes of {}'.format(
            boxes or estimator.networks[0].card.name) \
            if boxes or len(estimator.networks) > 1 else 'the image'
        fitted = 'crops of {} ({})'.format(source, size)
    else:
        fitted = 'aspect kept (letterbox {})'.format(size) if spec.fit == 'letterbox' \
            else 'aspect not kept (stretched to {})'.format(size)
    if isinstance(estimator, BoxFinder):
        return '; '.join(('single scale', fitted, "COCO's AP of boxes, at most 100 per image",
                          'counts from a score of {:g}'.format(estimator.min_score)))
    return '; '.join((
        'single scale' if tuple(scales) == (1.,) else 'mean of the scales ' + ', '.join(
            '{:g}'.format(scale) for scale in scales),
        'mean with the mirrored image' if flip else 'no flip',
        fitted, "COCO's OKS AP, at most 20 people per image",
        'PCK within {:g} of the {}'.format(*pck)))


def _names(paths):
    """Return the names of datasets, from their files; equal names are numbered."""
    names: List[str] = []
    for path in paths:
        stem = os.path.basename(os.path.abspath(path))
        stem = stem[:-len('.json')] if stem.endswith('.json') else stem
        alike = sum(name.partition('#')[0] == stem for name in names)
        names.append('{}#{}'.format(stem, alike + 1) if alike else stem)
    return names
