# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Files of Simple Baselines in the forms of three publishers, and their evaluation by formulas.

`evaluate_torch` computes with functions of PyTorch on a state dict, `evaluate_tf` with NumPy on
the variables of TensorFlow. Both are written from the description of the published networks.
"""
import numpy as np
import torch
import torch.nn.functional as F

BLOCKS = (2, 2, 1, 1)  # of a ResNet with few of them, for quick tests
WIDTHS = (64, 128, 256, 512)


def torch_state(keypoints, blocks=BLOCKS, deconvolutions=(256, 256, 256), seed=0):
    """Return a state dict with the names of Microsoft's repository, and random numbers."""
    random, state = torch.Generator().manual_seed(seed), {}

    def layer(name, shape, fan):
        state[name + '.weight'] = torch.randn(shape, generator=random) * (2 / fan) ** .5

    def norm(name, channels):
        for part, low in (('weight', .5), ('bias', -.3), ('running_mean', -.3),
                          ('running_var', .5)):
            state['{}.{}'.format(name, part)] = low + torch.rand(channels, generator=random)
        state[name + '.num_batches_tracked'] = torch.tensor(7)
    layer('conv1', (64, 3, 7, 7), 147)
    norm('bn1', 64)
    inputs = 64
    for level, (count, width) in enumerate(zip(blocks, WIDTHS), 1):
        for number in range(count):
            at = 'layer{}.{}.'.format(level, number)
            for name, (outputs, channels, kernel) in enumerate((
                    (width, inputs, 1), (width, width, 3), (4 * width, width, 1)), 1):
                layer(at + 'conv{}'.format(name), (outputs, channels, kernel, kernel),
                      channels * kernel ** 2)
                norm(at + 'bn{}'.format(name), outputs)
            if number == 0:
                layer(at + 'downsample.0', (4 * width, inputs, 1, 1), inputs)
                norm(at + 'downsample.1', 4 * width)
            inputs = 4 * width
    for number, outputs in enumerate(deconvolutions):
        layer('deconv_layers.{}'.format(3 * number), (inputs, outputs, 4, 4), inputs * 4)
        norm('deconv_layers.{}'.format(3 * number + 1), outputs)
        inputs = outputs
    layer('final_layer', (keypoints, inputs, 1, 1), inputs)
    state['final_layer.bias'] = torch.randn(keypoints, generator=random)
    return state


def of_mmpose(state, head):
    """Return the state with the names of mmpose; `head` is keypoint_head, in version 1 head."""
    return {'{}.{}'.format(head if name.split('.')[0] in ('deconv_layers', 'final_layer')
                           else 'backbone', name): value for name, value in state.items()}


def of_tensorflow(state):
    """Return the variables of TF-SimpleHumanPose by name, in its layouts."""
    variables = {}
    for name, value in state.items():
        *scope, last = name.split('.')
        if last == 'num_batches_tracked':
            continue
        kind = {'weight': 'gamma', 'bias': 'beta', 'running_mean': 'moving_mean',
                'running_var': 'moving_variance'}[last]
        if name.startswith('final_layer'):
            scope, kind = ['out'], {'weight': 'weights', 'bias': 'biases'}[last]
        elif scope[0] == 'deconv_layers':
            number, place = divmod(int(scope[1]), 3)
            scope = ['up{}'.format(number + 1)]
        elif scope[0].startswith('layer'):
            short = scope[2] == 'downsample'
            place = int(scope[3]) if short else scope[2].startswith('bn')
            unit = 'shortcut' if short else 'conv' + scope[2][-1]
            scope = ['resnet_v1_50', 'block' + scope[0][-1],
                     'unit_{}'.format(int(scope[1]) + 1), 'bottleneck_v1', unit]
        else:
            place = scope[0] == 'bn1'
            scope = ['resnet_v1_50', 'conv1']
        if value.ndim == 4:
            kind, value = 'weights', value.permute(2, 3, 1, 0)
        elif scope != ['out']:
            assert place == 1
            scope = scope + ['BatchNorm']
        variables['/'.join(scope + [kind])] = value.numpy()
    return variables


def evaluate_torch(state, image, blocks=BLOCKS, stride_first=False):
    """Return the maps (N, K, h / 4, w / 4) of an image (N, 3, h, w)."""
    def norm(name, x):
        return F.batch_norm(x, *(state[name + '.' + part] for part in (
            'running_mean', 'running_var', 'weight', 'bias')))
    x = F.relu(norm('bn1', F.conv2d(image, state['conv1.weight'], None, 2, 3)))
    x = F.max_pool2d(x, 3, 2, 1)
    for level, count in enumerate(blocks, 1):
        for number in range(count):
            at, stride = 'layer{}.{}.'.format(level, number), 1 + (level > 1 and number == 0)
            first, second = (stride, 1) if stride_first else (1, stride)
            y = F.relu(norm(at + 'bn1', F.conv2d(x, state[at + 'conv1.weight'], None, first)))
            y = F.relu(norm(at + 'bn2', F.conv2d(y, state[at + 'conv2.weight'], None, second, 1)))
            y = norm(at + 'bn3', F.conv2d(y, state[at + 'conv3.weight']))
            if number == 0:
                x = norm(at + 'downsample.1', F.conv2d(x, state[at + 'downsample.0.weight'], None,
                                                       stride))
            x = F.relu(x + y)
    for number in (0, 3, 6):
        x = F.conv_transpose2d(x, state['deconv_layers.{}.weight'.format(number)], None, 2, 1)
        x = F.relu(norm('deconv_layers.{}'.format(number + 1), x))
    return F.conv2d(x, state['final_layer.weight'], state['final_layer.bias'])


def evaluate_tf(variables, image, blocks=BLOCKS, epsilon=1e-9):
    """Return the maps (N, h / 4, w / 4, K) of an image (N, h, w, 3), in double precision."""
    def norm(name, x):
        gamma, beta, mean, variance = (variables['{}/BatchNorm/{}'.format(name, part)].astype(
            float) for part in ('gamma', 'beta', 'moving_mean', 'moving_variance'))
        return (x - mean) / np.sqrt(variance + epsilon) * gamma + beta

    def layer(name, x, stride=1):
        return norm(name, conv(x, variables[name + '/weights'], stride))
    at = 'resnet_v1_50/'
    x = pool(np.maximum(layer(at + 'conv1', image.astype(float), 2), 0))
    for level, count in enumerate(blocks, 1):
        for unit in range(1, count + 1):
            name = '{}block{}/unit_{}/bottleneck_v1/'.format(at, level, unit)
            stride = 1 + (level > 1 and unit == 1)
            y = np.maximum(layer(name + 'conv1', x), 0)
            y = np.maximum(layer(name + 'conv2', y, stride), 0)
            y = layer(name + 'conv3', y)
            x = np.maximum(y + (layer(name + 'shortcut', x, stride) if unit == 1 else x), 0)
    for name in ('up1', 'up2', 'up3'):
        x = np.maximum(norm(name, conv_transpose(x, variables[name + '/weights'])), 0)
    return conv(x, variables['out/weights'], 1) + variables['out/biases']


def conv(x, kernel, stride):
    """slim's conv2d_same: (k - 1) / 2 zeros on each side, then no padding. NHWC."""
    size, pad = kernel.shape[0], (kernel.shape[0] - 1) // 2
    x = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    high, wide = ((length - size) // stride + 1 for length in x.shape[1:3])
    return sum(x[:, i:i + stride * high:stride, j:j + stride * wide:stride] @ kernel[i, j].astype(
        float) for i in range(size) for j in range(size))


def pool(x):
    """A zero on each side, then the maximum of 3x3 at stride 2, without padding."""
    x = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    high, wide = ((length - 3) // 2 + 1 for length in x.shape[1:3])
    return np.max([x[:, i:i + 2 * high:2, j:j + 2 * wide:2] for i in range(3) for j in range(3)],
                  axis=0)


def conv_transpose(x, kernel):
    """TensorFlow's conv2d_transpose with SAME, 4x4, stride 2; kernel (4, 4, out, in).

    It is the gradient of the convolution from the larger to the smaller map. That one has one
    zero before and one after its input, so input cell i reads output cells 2 i - 1 to 2 i + 2.
    """
    count, high, wide, _ = x.shape
    total = np.zeros((count, 2 * high + 2, 2 * wide + 2, kernel.shape[2]))
    for i in range(4):
        for j in range(4):
            total[:, i:i + 2 * high:2, j:j + 2 * wide:2] += x @ kernel[i, j].T.astype(float)
    return total[:, 1:-1, 1:-1]
