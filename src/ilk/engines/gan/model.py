"""The generator and the critic: two networks of DCGAN's shape for any Grid.

They know shapes and labels, nothing of losses, data or training (``steps.py``). Strided convolutions
lead from a map of 3 to 5 cells a side to the picture and back, doubling it each time; an odd size, as 7 in
4-7-14-28, takes a 3x3 kernel where an even one takes 4x4. So every size works natively, without padding.
``width`` is the number of channels at half the picture's resolution; each halving doubles it, up to eight
times.

    DCGAN shape          Radford et al., "Unsupervised Representation Learning with DCGANs", 2016
    spectral norm        Miyato et al., "Spectral Normalization for GANs", 2018
    labels in the critic Miyato & Koyama, "cGANs with Projection Discriminator", 2018
    ... as a classifier  Chen et al., "A Unified View of cGANs with and without Classifiers", 2021
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from ilk.core.errors import Code, InputError
from ilk.core.spaces import Grid

SLOPE = 0.2  # of leaky ReLU, as in DCGAN
WIDEST = 8  # times `width`: the cap at large resolutions, where doubling on would cost most of the time
SMALLEST = 5  # cells a side at which halving ends
Norm = Literal["batch", "none"]


def maps(grid: Grid) -> list[tuple[int, int]]:
    """Heights and widths of the maps from the smallest up to the picture: 4, 7, 14, 28.

    Raises:
        InputError: the grid is smaller than 4 x 4.
    """
    sizes = [(grid.height, grid.width)]
    if min(sizes[0]) < 4:
        raise InputError(Code.OPTION, f"Pictures of {grid.width} x {grid.height} are too small; use at least 4 x 4.")
    while len(sizes) < 2 or max(sizes[0]) > SMALLEST:
        height, width = sizes[0]
        sizes.insert(0, ((height + 1) // 2, (width + 1) // 2))
    return sizes


def kernels(grid: Grid) -> list[tuple[int, int]]:
    """The kernel between each map and the next larger one: 4 for an even size, 3 for an odd one.

    With stride 2 and padding 1 these are the kernels that halve (rounding up) and double exactly.
    """
    return [(4 - height % 2, 4 - width % 2) for height, width in maps(grid)[1:]]


def channels(width: int, levels: int) -> list[int]:
    """Channels of the maps from the smallest up to half the picture's resolution."""
    return [width * min(WIDEST, 2**level) for level in reversed(range(levels))]


class LabelledNorm(nn.Module):
    """Batch normalisation (or none) whose scale and shift depend on the label.

    ``y = (1 + s_label) * norm(x) + t_label`` (de Vries et al., "Modulating early visual processing by
    language", 2017). Without labels it is the plain normalisation. A label is a number, or shares of all labels
    (B, K), which mix them.
    """

    def __init__(self, size: int, classes: int, norm: Norm) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(size) if norm == "batch" else nn.Identity()
        self.embed = nn.Embedding(classes, 2 * size) if classes else None

    def forward(self, x_BCHW: Tensor, label_B: Tensor | None) -> Tensor:
        """The normalised maps, in the precision of ``x_BCHW``."""
        x_BCHW = self.norm(x_BCHW)
        if self.embed is None:
            return x_BCHW
        rows_BC = self.embed(label_B) if label_B is None or label_B.ndim == 1 else _mixed(label_B, self.embed.weight)
        scale_BC11, shift_BC11 = rows_BC.to(x_BCHW.dtype)[:, :, None, None].chunk(2, dim=1)
        return torch.addcmul(shift_BC11, x_BCHW, 1.0 + scale_BC11)


class Generator(nn.Module):
    """Noise (and a label) to a picture.

    The label sets scale and shift of every normalisation: measured against a learned vector beside the
    noise, from which the network learned to make one picture a class.

    Args:
        grid: the Space.
        width: channels at half the resolution.
        latent: size of the noise vector.
        classes: number of labels; 0 makes a network without labels.
        norm: batch normalisation after every layer but the last, or none.
    """

    def __init__(self, grid: Grid, width: int, latent: int, classes: int = 0, norm: Norm = "batch") -> None:
        super().__init__()
        self.latent, self.start = latent, maps(grid)[0]
        steps = kernels(grid)
        sizes = channels(width, len(steps))
        cells = self.start[0] * self.start[1]
        self.project = nn.Linear(latent, sizes[0] * cells)
        self.norms = nn.ModuleList(LabelledNorm(size, classes, norm) for size in sizes)
        self.ups = nn.ModuleList(
            nn.ConvTranspose2d(a, b, kernel, stride=2, padding=1)
            for a, b, kernel in zip(sizes, [*sizes[1:], grid.channels], steps, strict=True)
        )

    def forward(self, z_BL: Tensor, label_B: Tensor | None = None) -> Tensor:
        """Pictures ``x_BCHW`` in (-1, 1)."""
        # Channels come last in memory: both flattenings are views, where the other order costs a copy here and
        # makes the gradient of the activation ten times slower (two layouts in one kernel).
        x_BCHW = self.project(z_BL).view(len(z_BL), *self.start, -1).permute(0, 3, 1, 2)
        for norm, up in zip(self.norms, self.ups, strict=True):
            x_BCHW = up(functional.relu(norm(x_BCHW, label_B)))
        return torch.tanh(x_BCHW.float())


class SpectralNorm(nn.Module):
    """``W / sigma(W)`` with the largest singular value from a running power iteration.

    For W as a matrix (out, rest): ``v = W^T u / |.|``, ``u = W v / |.|``, ``sigma = u^T W v``; u and v
    carry over from step to step, and gradients flow through W alone. One iteration an *update*
    suffices (Miyato et al., section 2.1), so :meth:`iterate` is called by the training step and not
    by ``forward``: the same weights always give the same output.
    """

    u_O: Tensor
    v_R: Tensor

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        matrix_OR = _matrix(weight.detach())
        self.register_buffer("u_O", functional.normalize(torch.ones(len(matrix_OR)), dim=0))
        self.register_buffer("v_R", functional.normalize(torch.ones(matrix_OR.shape[1]), dim=0))

    @torch.no_grad()
    def iterate(self, weight: Tensor, rounds: int = 1) -> None:
        """Move u and v towards the first singular vectors."""
        matrix_OR = _matrix(weight)
        for _ in range(rounds):
            functional.normalize(matrix_OR.mT @ self.u_O, dim=0, out=self.v_R)
            functional.normalize(matrix_OR @ self.v_R, dim=0, out=self.u_O)

    def forward(self, weight: Tensor) -> Tensor:
        """The normalised weight."""
        with torch.autocast(weight.device.type, enabled=False):  # a singular value in bfloat16 is none
            sigma = torch.vdot(self.u_O, _matrix(weight) @ self.v_R)
            return weight / sigma


class Critic(nn.Module):
    """Pictures (and labels) to one score each: above 0 it takes them for real.

    With labels the score is ``w . h + e_label . sum(h)`` for the last maps h, summed over their cells
    (projection): it asks whether the picture is real *and* whether it is what the label says. All weights
    are spectrally normalised, so that the score is Lipschitz without any penalty.

    Args:
        grid: the Space.
        width: channels at half the resolution.
        classes: number of labels; 0 makes a network without labels.
    """

    def __init__(self, grid: Grid, width: int, classes: int = 0) -> None:
        super().__init__()
        steps = kernels(grid)[::-1]
        sizes = channels(width, len(steps))[::-1]
        height, wide = maps(grid)[0]
        self.downs = nn.ModuleList(
            nn.Conv2d(a, b, kernel, stride=2, padding=1)
            for a, b, kernel in zip([grid.channels, *sizes[:-1]], sizes, steps, strict=True)
        )
        self.head = nn.Linear(sizes[-1] * height * wide, 1)
        self.embed = nn.Embedding(classes, sizes[-1]) if classes else None
        self.spectral = nn.ModuleDict({_key(name): SpectralNorm(weight) for name, weight in self._weights()})

    def _weights(self) -> list[tuple[str, Tensor]]:
        """The weights to normalise by name: all matrices."""
        return [(name, p) for name, p in self.named_parameters() if p.ndim > 1]

    def iterate(self, rounds: int = 1) -> None:
        """One step of power iteration for every layer; once an update."""
        for name, weight in self._weights():
            self.spectral[_key(name)].iterate(weight, rounds)  # type: ignore[operator]

    def normalised(self) -> dict[str, Tensor]:
        """All normalised weights by name, as :meth:`forward` takes them."""
        return {name: self.spectral[_key(name)](weight) for name, weight in self._weights()}

    def forward(self, x_BCHW: Tensor, label_B: Tensor | None = None) -> Tensor:
        """Scores ``(B,)``."""
        return self.judged(x_BCHW, label_B)[0]

    def judged(self, x_BCHW: Tensor, label_B: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Scores ``(B,)``, and logits of the labels ``(B, K)`` where there are labels: their part of the score."""
        weights = self.normalised()
        score_B, sum_BC = self._last(self.maps(x_BCHW, weights)[-1], weights)
        if label_B is None:
            return score_B.float(), None
        logits_BK = sum_BC @ weights["embed.weight"].mT
        return (score_B + logits_BK.gather(1, label_B[:, None])[:, 0]).float(), logits_BK.float()

    def maps(self, x_BCHW: Tensor, weights: dict[str, Tensor] | None = None) -> list[Tensor]:
        """The maps (B, C, H, W) after each layer, from the largest to the smallest."""
        weights = self.normalised() if weights is None else weights
        x_BCHW = x_BCHW.contiguous(memory_format=torch.channels_last)
        found = []
        for level, down in enumerate(self.downs):
            weight = weights[f"downs.{level}.weight"]
            x_BCHW = functional.conv2d(x_BCHW, weight, down.bias, stride=2, padding=1)  # type: ignore[arg-type]
            x_BCHW = functional.leaky_relu(x_BCHW, SLOPE)
            found.append(x_BCHW)
        return found

    def scores(self, x_BCHW: Tensor) -> Tensor:
        """Scores ``(B, K)``, one for each label that the picture might have."""
        weights = self.normalised()
        score_B, sum_BC = self._last(self.maps(x_BCHW, weights)[-1], weights)
        return (score_B[:, None] + sum_BC @ weights["embed.weight"].mT).float()

    def _last(self, x_BCHW: Tensor, weights: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """The score without a label, and what a label's vector is multiplied with."""
        h_BF = x_BCHW.permute(0, 2, 3, 1).flatten(1)
        score_B = functional.linear(h_BF, weights["head.weight"], self.head.bias).squeeze(1)
        # Through h and not through x: a gradient that arrives in two memory layouts costs a seventh of the step.
        return score_B, h_BF.view(len(h_BF), -1, x_BCHW.shape[1]).float().sum(dim=1)


def _mixed(share_BK: Tensor, vectors_KC: Tensor) -> Tensor:
    """Each row's mixture of the labels' vectors; in float32, so that the share 1 gives a label's own vector."""
    with torch.autocast(share_BK.device.type, enabled=False):
        return share_BK.float() @ vectors_KC


def _matrix(weight: Tensor) -> Tensor:
    """A weight as (out, rest), a view of channels-last memory; the order of columns moves no singular value."""
    return weight.movedim(1, -1).flatten(1)


def _key(name: str) -> str:
    """A parameter's name as the name of a module, where no dots are allowed."""
    return name.replace(".", "_")
