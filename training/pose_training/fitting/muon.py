# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Muon: steps along the momentum with equalized singular values."""
import torch
from torch import nn, Tensor

_COEFFICIENTS = 3.4445, -4.7750, 2.0315
_ITERATIONS = 5


class Muon(torch.optim.Optimizer):
    """Orthogonal steps for groups with `orthogonal` set; an AdamW inside moves the others.

    A convolution's (outputs, inputs, h, w) is a matrix of (outputs, inputs h w). Its step is the
    orthogonal factor of Nesterov's momentum (Jordan et al., 2024, "Muon: an optimizer for hidden
    layers in neural networks"), scaled to the size of AdamW's (Liu et al., arXiv:2502.16982,
    section 2.2), so that learning rate and weight decay mean the same in all groups. The AdamW
    shares its groups and states with this optimizer, which saves and loads both.
    """

    def __init__(self, groups, lr: float, momentum: float = .95):
        super().__init__(groups, {'lr': lr, 'weight_decay': .01, 'orthogonal': False})
        self._momentum = momentum
        plain = [group for group in self.param_groups if not group['orthogonal']]
        self._adamw = torch.optim.AdamW(plain, lr=lr) if plain else None
        self._share()

    def _share(self):
        if self._adamw is not None:
            self._adamw.state = self.state
            self._adamw.param_groups = [group for group in self.param_groups
                                        if not group['orthogonal']]

    def load_state_dict(self, state_dict) -> None:
        """See torch.optim.Optimizer: it makes new groups and states."""
        super().load_state_dict(state_dict)
        self._share()

    @torch.no_grad()
    def step(self, closure=None):
        """Move the weights that have gradients."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        if self._adamw is not None:
            self._adamw.step()
        for group in self.param_groups:
            for weight in group['params'] if group['orthogonal'] else ():
                if weight.grad is not None:
                    self._move(weight, group['lr'], group['weight_decay'])
        return loss

    def _move(self, weight, lr, decay):
        state = self.state[weight]
        if not state:
            state['momentum'] = torch.zeros_like(weight)
        momentum = state['momentum'].lerp_(weight.grad, 1 - self._momentum)
        ahead = weight.grad.lerp(momentum, self._momentum)
        step = orthogonal(ahead.flatten(1))
        weight.mul_(1 - lr * decay)
        weight.sub_(step.view(weight.shape).to(weight.dtype),
                    alpha=lr * .2 * max(step.shape) ** .5)


def orthogonal(matrix: Tensor) -> Tensor:
    """Return nearly the factor U V^T of an (m, n) matrix U S V^T: singular values of 0.7 to 1.2.

    Five rounds of Newton and Schulz' iteration with the coefficients of Jordan et al., in
    bfloat16. Singular values below a thousandth of the largest stay smaller.
    """
    a, b, c = _COEFFICIENTS
    tall = matrix.shape[0] > matrix.shape[1]
    wide = (matrix.T if tall else matrix).bfloat16()
    wide = wide / wide.norm().clamp(min=1e-7)
    for _ in range(_ITERATIONS):
        gram = wide @ wide.T
        wide = torch.addmm(wide, torch.addmm(gram, gram, gram, beta=b, alpha=c), wide, beta=a)
    return wide.T if tall else wide


def hidden_weights(network: nn.Module) -> frozenset:
    """Return the names of the weights for orthogonal steps: convolutions followed by a norm.

    These have no bias. Depthwise ones are left out, because they are no matrices.
    """
    return frozenset('{}.weight'.format(name) for name, layer in network.named_modules()
                     if isinstance(layer, nn.Conv2d) and layer.bias is None and layer.groups == 1)
