# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The keys of pose_cfg.yaml: those of DeeperCut's and DeepLabCut's defaults and examples."""
from typing import Any, Dict, Tuple

# Keys that have an effect, and what they are without an entry.
DEFAULTS: Dict[str, Any] = {
    'dataset_type': 'default', 'net_type': 'resnet_50', 'global_scale': 1., 'pos_dist_thresh': 17.,
    'locref_loss_weight': 1., 'pairwise_loss_weight': 1., 'pairwise_predict': False,
    'intermediate_supervision': False, 'intermediate_supervision_layer': 12,
    'crop_size': [400, 400], 'rotation': 0., 'mirror': False, 'batch_size': 1, 'optimizer': 'sgd',
    'adam_lr': 1e-4, 'save_iters': 50000, 'weigh_only_present_joints': False,
    'multi_step': [[.005, 10000], [.02, 430000], [.002, 730000], [.001, 1030000]]}
EFFECTS = (
    'dataset', 'dataset_phase', 'dataset_ann', 'coco_only_images_with_people', 'project_path',
    'num_joints', 'all_joints', 'all_joints_names', 'init_weights', 'scale_jitter_lo',
    'scale_jitter_up', 'apply_prob')
# Keys of which only these values are possible, absent ones included, and why.
FIXED: Dict[str, Tuple[tuple, str]] = {
    'stride': ((None, 8, 8.), 'the maps of these networks have the stride 8'),
    'mean_pixel': ((None, [123.68, 116.779, 103.939]), 'the networks take these means'),
    'locref_huber_loss': ((None, True), 'refinements are trained with the Huber loss'),
    'pairwise_huber_loss': ((None, True), 'pairwise terms are trained with the Huber loss'),
    'optimizer': ((None, 'sgd', 'adam'), 'choose sgd or adam'),
    'location_refinement': ((None, True), 'these networks always refine locations'),
}
# Known keys for which there is nothing to set: what they do is always so, or is of another
# command (sparse_graph and the like: pose-train pairwise and export).
WITHOUT_EFFECT = (
    'locref_stdev', 'shuffle', 'snapshot_prefix', 'log_dir', 'regularize', 'weight_decay',
    'weigh_part_predictions', 'weigh_negatives', 'fg_fraction', 'crop', 'crop_pad', 'scoremap_dir',
    'use_gt_segm', 'video', 'video_batch', 'sparse_graph', 'pairwise_stats_collect',
    'pairwise_stats_fn', 'tensorflow_pairwise_order', 'max_input_size', 'min_input_size',
    'display_iters', 'pairwise_model_dir', 'nms_radius', 'det_min_score', 'scmap_threshold',
    'pck_threshold', 'cached_scoremaps', 'output_stride', 'deconvolutionstride', 'metadataset',
    'pre_resize', 'max_shift', 'crop_sampling', 'cropratio', 'rotratio', 'contrast',
    'convolution', 'covering', 'elastic_transform', 'gaussian_noise', 'hist_eq', 'motion_blur',
    'motion_blur_params', 'lr_init', 'decay_steps', 'alpha_r', 'minsize', 'leftwidth',
    'rightwidth', 'topheight', 'bottomheight', 'deterministic', 'bottomup_multi_stage_num',
    'partaffinityfield_predict', 'multi_stage', 'gradient_masking_weight', 'allow_growth',
    'maxiters', 'iteration', 'brightness', 'symmetric_pairs')
