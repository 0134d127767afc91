"""Random samples of a model, and films through its latent space: ``Generator.sample`` and ``Generator.walk``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from ilk.core import events
from ilk.core.conditions import check_balance, check_given
from ilk.core.errors import Code, InputError
from ilk.core.offers import Containing
from ilk.core.samples import Samples, check_count, check_seed
from ilk.core.seeds import fresh_seed
from ilk.generator.critics import BestOf, check_candidates
from ilk.generator.drawing import Candidates
from ilk.generator.guiding import find_guide
from ilk.generator.output import save_samples

if TYPE_CHECKING:
    from ilk.generator.estimator import Generator
    from ilk.generator.model import Model

CHUNK = 512  # samples made together when they are streamed


class Sampling:
    """The two sampling methods of a ``Generator``."""

    def sample(
        self,
        n: int = 1,
        *,
        given: Mapping[str, Any] | None = None,
        balance: str | None = None,
        seed: int | None = None,
        best_of: int = 1,
        like: Any = None,
        between: Any = None,
        on: events.Sink = events.ignore,
        **options: Any,
    ) -> Samples:
        """Draw samples. Sample i depends on the model, the settings, the seed and i alone.

        Args:
            n: how many.
            given: conditions, such as ``{"class": "shirt"}``; ``conditions_`` lists them.
            balance: a condition whose levels (those in ``given``, or all) come equally often, in turn.
            seed: an integer; without one a fresh seed is drawn, to be read at ``Samples.seed``.
            best_of: each sample is the one of so many candidates that the model's critic finds most real: more
                precise, less varied; ``Samples.scores`` has its opinions.
            like: a file or an object. A sample of this model is made again; else what is nearest, and its neighbours.
            between: two of such: ``n`` steps from the one to the other.
            on: takes the progress events of finding these.
            **options: the engine's and the kind's sampling options, such as ``temperature=0.8``.

        Returns:
            Samples: a sequence of the kind's natural objects, made when it is looked at.

        Raises:
            NotFittedError: before ``fit`` or ``load``.
            InputError: an unknown condition, level or option, a bad number, or no critic to choose by.
        """
        model = cast("Model", self._model())  # type: ignore[attr-defined]
        count, candidates = check_count(n), check_candidates(best_of)
        checked = check_given(given or {}, model.codec.conditions)
        wishes = (
            checked
            if balance is None
            else {**checked, balance: check_balance(balance, checked, model.codec.conditions)}
        )
        mine, settings = model.sample_settings(options)
        if balance is not None and (like is not None or between is not None):
            raise InputError(Code.OPTION, "balance goes with random samples; leave it out with like and between.")
        if like is not None or between is not None:
            from ilk.generator.latent import Wanted, from_latent

            wanted = Wanted(checked, options, None if seed is None else check_seed(seed), candidates, on)
            return from_latent(cast("Generator", self), count, like, between, wanted)
        seed = fresh_seed() if seed is None else check_seed(seed)
        guide = find_guide(model.codec, mine, checked)
        best = BestOf(model, wishes, seed, settings, candidates, guide) if candidates > 1 else None
        options |= {"best_of": candidates} if best else {}
        options |= {"balance": balance} if balance is not None else {}
        chosen = Candidates()
        return Samples(
            count,
            seed,
            make=best or (lambda start, stop: model.draw(start, stop, wishes, seed, settings, guide, chosen)),
            chunk=model.codec.together if isinstance(model.codec, Containing) else CHUNK,
            draw=model.kind.draw,
            save=lambda samples, path, format_, unsealed, one_file: save_samples(
                model, samples, path, format_, unsealed=unsealed, one_file=one_file, given=checked, options=options
            ),
            score=best.scores if best else None,
            effective=lambda: chosen.mean,
            contain=model.codec.contain if isinstance(model.codec, Containing) else None,
        )

    def walk(self, seconds: float = 4.0, *, seed: int | None = None, **more: Any) -> Samples:
        """The frames of a film through the latent space that ends where it began: ``walk(4).save("walk.mp4")``.

        Args:
            seconds: how long.
            seed: of the walk.
            **more: ``given``, ``format`` (``mp4`` or ``gif``: how many frames a second), ``tiles``, sampling options.

        Raises:
            InputError: the model has no latent space or its kind no films, or something is out of range.
        """
        from ilk.generator.latent import film

        model = cast("Model", self._model())  # type: ignore[attr-defined]
        return film(model, seconds, fresh_seed() if seed is None else check_seed(seed), **more)
