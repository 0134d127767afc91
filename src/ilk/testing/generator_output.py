"""Promises about saved samples: every output verifies, numbering goes on, nothing is overwritten."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from ilk.core.errors import Code
from ilk.seal.verify import verify
from ilk.testing.generator_case import GeneratorCase, tree
from ilk.testing.suite import refuses

GOOD = ("sealed", "sealed-in-manifest")


def check_folder_verifies(case: GeneratorCase) -> None:
    """Every file of a folder of samples is sealed; a second call goes on numbering, and all is sealed still."""
    out = case.folder() / "out"
    with case.at_home() as home:
        first = case.model.sample(3, seed=1).save(out)
        assert first.count == 3, f"{first.count} samples are said to be saved"
        _verified(out, home)
        before = tree(out)
        second = case.model.sample(2, seed=2).save(out)
        stems = [Path(file).stem for file in (*first.files, *second.files)]
        assert stems == ["0001", "0002", "0003", "0004", "0005"], f"the files are numbered {stems}"
        suffixes = {Path(file).suffix.lstrip(".") for file in (*first.files, *second.files)}
        assert suffixes <= {form.suffix.lstrip(".") for form in case.kind.formats}, f"odd suffixes: {suffixes}"
        after = tree(out)
        changed = [name for name in before if after.get(name) != before[name] and not name.endswith(".json")]
        assert not changed, f"the second call changed {', '.join(changed)}"
        _verified(out, home)


def check_every_format_verifies(case: GeneratorCase) -> None:
    """A file of each format is sealed, in itself or by what lies beside it, and is not overwritten."""
    with case.at_home() as home:
        for form in case.kind.formats:
            path = case.folder() / f"file.{form.suffix.lstrip('.')}"
            case.model.sample(3 if form.many else 1, seed=1).save(path)
            _verified(path, home)
            before = path.read_bytes()
            error = refuses(partial(case.model.sample(1, seed=2).save, path), f"an existing {path.name}")
            assert getattr(error, "code", "") == Code.EXISTS, f"the code is {getattr(error, 'code', '')}"
            assert path.read_bytes() == before, f"{path.name} was overwritten"
            if not form.many:
                several = partial(case.model.sample(2, seed=2).save, case.folder() / path.name)
                refuses(several, f"two samples in {path.name}")


def check_folder_takes_every_single_format(case: GeneratorCase) -> None:
    """A folder can be asked for in any format of one object a file; an unknown format is refused."""
    with case.at_home() as home:
        for form in case.kind.formats:
            if not form.many:
                out = case.folder() / "out"
                saved = case.model.sample(2, seed=1).save(out, form.suffix)
                kinds = {Path(file).suffix.lstrip(".") for file in saved.files}
                assert kinds == {form.suffix.lstrip(".")}, f"{form.suffix} was asked for, {kinds} were written"
                _verified(out, home)
        unknown = partial(case.model.sample(1).save, case.folder() / "out", "unheard-of")
        assert getattr(refuses(unknown, "an unknown format"), "code", "") == Code.OUTPUT


def check_changed_file_is_found(case: GeneratorCase) -> None:
    """A sample that was changed, added or dropped is told from those that were not."""
    out = case.folder() / "out"
    with case.at_home() as home:
        files = [Path(file) for file in case.model.sample(3, seed=1).save(out).files]
        files[0].write_bytes(files[0].read_bytes() + b" ")
        states = {Path(v.file).name: v.state for v in verify([out], home)}
        assert states[files[0].name] not in GOOD, f"a changed file is {states[files[0].name]}"
        assert states[files[1].name] in GOOD, f"an unchanged file is {states[files[1].name]}"
        (out / f"stray{files[0].suffix}").write_bytes(files[1].read_bytes()[:-1] + b"?")
        states = {Path(v.file).name: v.state for v in verify([out], home)}
        assert states[f"stray{files[0].suffix}"] not in GOOD, "an added file is called sealed"
    _strangers(out, case)


def _strangers(out: Path, case: GeneratorCase) -> None:
    """Another user's machine does not take the samples for its own."""
    states = {verdict.state for verdict in verify([out], case.folder())}
    assert not states & set(GOOD), f"without the maker's key files are called {states & set(GOOD)}"


def check_unsealed_is_not_sealed(case: GeneratorCase) -> None:
    """Without a seal, files are written all the same and called neither sealed nor real."""
    out = case.folder() / "out"
    with case.at_home() as home:
        saved = case.model.sample(2, seed=1).save(out, unsealed=True)
        assert len(saved.files) == 2, f"{len(saved.files)} files were written"
        assert saved.seal == "none", f"the seal is said to be {saved.seal}"
        states = {verdict.state for verdict in verify([out], home)}
    assert not states & set(GOOD), "unsealed files are called sealed"


def check_model_seal_holds(case: GeneratorCase) -> None:
    """The preview of a model folder is sealed."""
    with case.at_home() as home:
        for preview in case.path.glob("preview.*"):
            states = [verdict.state for verdict in verify([preview], home)]
            wanted = preview.suffix not in (".png", ".wav") or states[0] in GOOD
            assert wanted, f"{preview.name} is {states[0]}"


def _verified(path: Path, home: Path) -> None:
    verdicts = verify([path], home)
    assert verdicts, f"verify says nothing about {path.name}"
    bad = [f"{Path(v.file).name} is {v.state} ({'; '.join(v.problems)})" for v in verdicts if v.state not in GOOD]
    assert not bad, f"not all is sealed: {', '.join(bad[:3])}"


CHECKS = (
    check_folder_verifies,
    check_every_format_verifies,
    check_folder_takes_every_single_format,
    check_changed_file_is_found,
    check_unsealed_is_not_sealed,
    check_model_seal_holds,
)
