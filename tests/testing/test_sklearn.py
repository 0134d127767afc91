"""scikit-learn's own checks that apply to ``Generator``: parameters, clone, repr, tags, joblib, pipelines."""

from __future__ import annotations

import pickle

import joblib
import pytest
import sklearn
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import estimator_checks as checks
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

import ilk
from ilk.core.registry import get_kind

APPLY = (
    checks.check_estimator_cloneable,
    checks.check_estimator_tags_renamed,
    checks.check_valid_tag_types,
    checks.check_estimator_repr,
    checks.check_no_attributes_set_in_init,
    checks.check_get_params_invariance,
    checks.check_set_params,
    checks.check_parameters_default_constructible,
    checks.check_do_not_raise_errors_in_init_or_set_params,
    checks.check_mixin_order,
)


@pytest.mark.parametrize("check", APPLY, ids=lambda check: check.__name__)
def test_scikit_learn_is_content(check):
    check("Generator", ilk.Generator())


def test_clone_keeps_parameters_and_drops_what_was_learned(throws, dice):
    model = ilk.Generator(engine=ilk.Gan(width=8), options={"fit": "pad"}, minutes=1.5, random_state=3)
    copy = clone(model)
    assert copy is not model
    assert copy.get_params() == model.get_params()
    assert copy.engine == ilk.Gan(width=8)
    fitted = ilk.Generator(steps=2, threads=1).fit(throws)
    assert not hasattr(clone(fitted), "model_")
    assert "Gan(" in repr(model)


def test_whether_it_is_fitted_is_known_to_scikit_learn(throws, dice):
    model = ilk.Generator(steps=2, threads=1)
    with pytest.raises(NotFittedError):
        check_is_fitted(model)
    check_is_fitted(model.fit(throws))
    assert get_tags(model).input_tags.string


def test_pickle_and_joblib_carry_a_model_that_samples_alike(throws, dice, tmp_path):
    model = ilk.Generator(steps=3, threads=1).fit(throws)
    wanted = list(model.sample(5, seed=2))
    assert list(pickle.loads(pickle.dumps(model)).sample(5, seed=2)) == wanted
    joblib.dump(model, tmp_path / "model.joblib")
    again = joblib.load(tmp_path / "model.joblib")
    assert list(again.sample(5, seed=2)) == wanted
    assert again.fingerprint_ == model.fingerprint_


def test_joblib_fits_several_at_once(throws, dice):
    def fit(seed):
        return ilk.Generator(steps=3, threads=1, random_state=seed).fit(throws)

    one, two, three = joblib.Parallel(n_jobs=2, prefer="threads")(joblib.delayed(fit)(seed) for seed in (0, 0, 1))
    assert one.fingerprint_ == two.fingerprint_ != three.fingerprint_


def test_pipeline_ends_in_a_generator(throws, dice):
    kind = get_kind("dice")
    rows = [example.object for example in kind.read(throws, kind.Options())]
    sort = FunctionTransformer(lambda throws: [tuple(sorted(throw)) for throw in throws])
    made = Pipeline([("sort", sort), ("learn", ilk.Generator(steps=200, threads=1))]).fit(rows)["learn"].sample(50)
    assert sum(list(throw) == sorted(throw) for throw in made) > 25


def test_y_joins_x_as_a_condition(throws, dice):
    kind = get_kind("dice")
    rows = [example.object for example in kind.read(throws, kind.Options())]
    y = ["same" if len(set(throw)) == 1 else "mixed" for throw in rows]
    with pytest.raises(ilk.InputError, match=r"y has 3 values|3 values"):
        ilk.Generator(steps=2, threads=1, label="die").fit(rows, y[:3])
    model = ilk.Generator(steps=200, threads=1, label="die").fit(rows, y)
    assert model.conditions_["die"].names == ("mixed", "same")


def test_parameters_are_shown_by_set_config():
    with sklearn.config_context(print_changed_only=True):
        assert repr(ilk.Generator(minutes=1)) == "Generator(minutes=1)"
