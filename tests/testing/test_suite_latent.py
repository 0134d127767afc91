"""The checks of a latent space and of films fail for an engine or a kind that does not keep the promise."""

from __future__ import annotations

import numpy as np
import pytest

from ilk import Gan
from ilk.core.protocol import Levels
from ilk.core.registry import get_kind
from ilk.core.spaces import Grid
from ilk.engines.gan.engine import GanEngine
from ilk.kinds.image import ImageKind
from ilk.testing import engine_checks, kind_checks

REAL = {name: getattr(GanEngine, name) for name in ("latents", "render", "project")}


def _mixed_rows(self, z, given, settings=None):
    return REAL["render"](self, z - z.mean(axis=0), given, settings)


def _hard_labels(self, z, given, settings=None):
    given.labels = {name: a.argmax(1) if a.ndim == 2 else a for name, a in given.labels.items()}
    return REAL["render"](self, z, given, settings)


def _anywhere(self, arrays, seed, on):
    z, given = REAL["project"](self, arrays, seed, on)
    return np.ones_like(z), given


def _silent(self, arrays, seed, on):
    return REAL["project"](self, arrays, seed, lambda _: None)


BROKEN = {
    "latents": (
        lambda self, indices, seed, settings=None: REAL["latents"](self, indices, seed + 1, settings),
        "check_latents_render_the_samples",
    ),
    "render": (_mixed_rows, "check_latents_render_the_samples"),
    "render hard": (_hard_labels, "check_shares_of_levels_mix_them"),
    "project": (_anywhere, "check_projection_leads_back"),
    "project silent": (_silent, "check_projection_leads_back"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_latent_space_is_caught(what, monkeypatch):
    value, name = BROKEN[what]
    monkeypatch.setattr(GanEngine, what.split()[0], value)
    settings, levels = Gan(width=4, latent=8, batch=8), {"class": Levels(names=("a", "b"))}
    with pytest.raises(AssertionError):
        dict(engine_checks(settings, Grid(channels=1, height=8, width=8), conditions=levels))[name]()


@pytest.mark.parametrize("value", [lambda self, objects: objects[0], lambda self, objects: objects[-1].rotate(90)])
def test_a_kind_whose_frames_hide_objects_is_caught(value, pictures, monkeypatch):
    monkeypatch.setattr(ImageKind, "mosaic", value)
    with pytest.raises(AssertionError):
        dict(kind_checks(get_kind("image"), pictures))["check_films_can_be_watched"]()
