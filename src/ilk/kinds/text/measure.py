"""Text's own numbers are measured, each beside what held-out text gets on the same test; ``measures.py`` lists them.

What is measured is told where it is done: ``ngram.py`` (counting runs of characters), ``overlap.py`` (what was copied
word for word), ``secrets.py`` and ``exposure.py`` (what the model knows by heart). Here it becomes numbers, sentences
and exhibits. Texts may be a model's passages or plain strings; a number that cannot be had is left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ilk.core.protocol import Exhibit, Finding, Witness
from ilk.core.seeds import stream
from ilk.kinds.text.exposure import CLASSES, Exposed, by_chance, class_of, exposures, known_by_heart
from ilk.kinds.text.measures import BITS, COPIED, DISTINCT, EXPOSURE, LONGEST, NGRAM, REPETITION, ZSTD
from ilk.kinds.text.ngram import fit_ngram
from ilk.kinds.text.overlap import WORDS, Copies, copied_words, longest_copies, shown, words
from ilk.kinds.text.passage import Passage, as_passage
from ilk.kinds.text.secrets import find
from ilk.kinds.text.wholes import Run, runs

MOST_SCORED = 128
"""Held-out passages whose likelihood is asked for."""
MOST_KNOWN, MOST_ASKED = 5_000_000, 1_000_000
"""Characters of training text, and of samples, that are looked through for copies."""
MOST_WORDS = 50_000
DRAWS = 500
EXHIBITED, AROUND = 8, 60
FEWEST_SHOWN = 20
"""Characters of the shortest run that is shown."""
_REPEATED = 4


class Known(NamedTuple):
    """The training text: passages that follow each other as one, and what each came from."""

    runs: list[Run]
    names: Sequence[str]
    passages: Sequence[str]

    @property
    def texts(self) -> list[str]:
        """Its runs as strings."""
        return [str(run.text) for run in self.runs]

    def name(self, text: int, place: int) -> str:
        """The name of the passage at a place of a run; empty where names are not known."""
        if len(self.names) != len(self.passages):
            return ""
        for row in self.runs[text].places:
            if place < len(self.passages[row]):
                return self.names[row]
            place -= len(self.passages[row])
        return ""


def measure(witness: Witness) -> tuple[Finding, ...]:
    """Every number that can be had."""
    known = _known(witness)
    return (*_likelihood(witness), *_variety(witness), *_copies(witness, known), *_exposure(witness, known))


def _known(witness: Witness) -> Known:
    """The training text, up to so many characters of it."""
    passages = list(witness.train)
    ends = np.cumsum([len(text) for text in passages])
    count = int(np.searchsorted(ends, MOST_KNOWN, side="right")) if len(ends) else 0
    kept = passages[: max(1, count)]
    names = witness.names[: len(kept)] if len(witness.names) == len(passages) else ()
    return Known(list(runs(kept, names or None)), names, kept)


def _likelihood(witness: Witness) -> Iterator[Finding]:
    """Bits a character of held-out passages, under the model and under what knows only how to count."""
    held = [text for text in witness.holdout if len(text)]
    if witness.score is None or not held:
        return
    turn = np.sort(stream(witness.seed, "scored").permutation(len(held))[:MOST_SCORED])
    texts = [as_passage(held[place]) for place in turn]
    sizes = np.array([len(text) for text in texts], np.float64)
    # Without an end: no character stands for it, and what only counts characters knows of none.
    plain = [Passage(text, text.piece, ends=False, marks=text.marks) for text in texts]
    own, interval = _per_character(-np.asarray(witness.score(plain), np.float64), sizes, witness.seed)
    says = f"It needs {own:.2f} bits for a character of text it never saw"
    beside: list[Finding] = []
    if len(witness.train):
        train = [str(text) for text in witness.train]
        counted = fit_ngram(train)
        bits, spread = _per_character(counted.nats([str(text) for text in texts]), sizes, witness.seed)
        packed = _zstd_bits(train, texts)
        beside = [Finding(NGRAM, bits, interval=spread), Finding(ZSTD, packed)]
        says += f"; counting runs of {counted.order} characters needs {bits:.2f}, zstd {packed:.2f}"
    yield Finding(BITS, own, interval=interval, says=f"{says}.")
    yield from beside


def _per_character(
    nats: npt.NDArray[np.float64], sizes: npt.NDArray[np.float64], seed: int
) -> tuple[float, tuple[float, float]]:
    """Bits a character of all passages together, and its 95 % interval: a bootstrap over passages (Efron, 1979)."""
    drawn = stream(seed, "passages").multinomial(len(sizes), np.full(len(sizes), 1 / len(sizes)), size=DRAWS)
    means = (drawn @ nats) / (drawn @ sizes) / math.log(2)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(nats.sum() / sizes.sum() / math.log(2)), (float(low), float(high))


def _zstd_bits(train: Sequence[str], texts: Sequence[str]) -> float:
    """Bits a character in one file with the training text as a dictionary: learning as it goes."""
    import zstandard

    known, asked = ("".join(part).encode("utf-8", "surrogatepass") for part in (train, texts))
    known = known[:MOST_KNOWN]
    parameters = zstandard.ZstdCompressionParameters.from_level(
        19, source_size=len(known) + len(asked), write_content_size=False, write_checksum=False, write_dict_id=False
    )
    dictionary = zstandard.ZstdCompressionDict(known, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    packed = zstandard.ZstdCompressor(compression_params=parameters, dict_data=dictionary).compress(asked)
    return 8 * len(packed) / sum(map(len, texts))


def _variety(witness: Witness) -> Iterator[Finding]:
    """How many different words and runs of words there are, and how often a sample says the same again."""
    made, real = _pairs(witness.made, witness.holdout)
    count = min(sum(map(len, made)), sum(map(len, real)), MOST_WORDS)
    if count < _REPEATED:
        return
    rows = [_first(part, count) for part in (made, real)]
    found = [[_distinct(part, size) for part in rows] for size in (1, 2, 3)]
    again = [_repeated(part) for part in rows]
    says = (
        f"Of 100 pairs of words in samples {_of_100(found[1][0])} are different ones, of as much real text "
        f"{_of_100(found[1][1])}; of 100 runs of four words {_of_100(again[0])} came before in the same sample, in "
        f"real text {_of_100(again[1])}."
    )
    for key, (value, ceiling) in zip(DISTINCT, found, strict=True):
        yield Finding(key, value, ceiling, says=says if key == DISTINCT[0] else "")
    yield Finding(REPETITION, again[0], again[1])


def _pairs(made: Sequence[Any], real: Sequence[Any]) -> tuple[list[list[str]], list[list[str]]]:
    """Words of samples and of real texts, each pair cut to the shorter one: what is long repeats itself more."""
    both: tuple[list[list[str]], list[list[str]]] = ([], [])
    total = 0
    for pair in zip(made, real, strict=False):
        one, other = (words(str(text)) for text in pair)
        size = min(len(one), len(other))
        total += size
        if size:
            both[0].append(one[:size])
            both[1].append(other[:size])
        if total >= MOST_WORDS:
            break
    return both


def _first(rows: Sequence[list[str]], count: int) -> list[list[str]]:
    """The first ``count`` words."""
    out = []
    for row in rows:
        out.append(row[:count])
        count -= len(out[-1])
    return out


def _grams(row: Sequence[str], size: int) -> list[tuple[str, ...]]:
    return list(zip(*(row[start:] for start in range(size)), strict=False))


def _distinct(rows: Sequence[list[str]], size: int) -> float:
    """Different runs of words over all of them (Li et al., "A diversity-promoting objective function", 2016)."""
    grams = [gram for row in rows for gram in _grams(row, size)]
    return len(set(grams)) / max(1, len(grams))


def _repeated(rows: Sequence[list[str]]) -> float:
    """The share of runs of four words that came before in the same text."""
    counts = [(len(grams), len(set(grams))) for grams in (_grams(row, _REPEATED) for row in rows)]
    total = sum(count for count, _ in counts)
    return (total - sum(different for _, different in counts)) / max(1, total)


def _copies(witness: Witness, known: Known) -> Iterator[Finding]:
    """What stands in the training text word for word; held-out text of the same length holds sayings and names too."""
    made = [text for text in _bounded(witness.made, MOST_ASKED) if text]
    if not known.runs or not made:
        return
    held = _bounded(witness.holdout, sum(map(len, made)))
    texts = known.texts
    found = longest_copies([*made, *held], texts)
    own, real = (int(part.max(initial=0)) for part in np.split(found.length, [len(made)]))
    ceiling = float(real) if held else None
    beside = f", in as much held-out text {real:,}" if held else ""
    yield Finding(
        LONGEST,
        float(own),
        ceiling,
        says=f"The longest run that a sample has from the training text is {own:,} characters long{beside}.",
        exhibits=_copied(made, found, known),
    )
    hits, total = copied_words(made, texts)
    if total:
        others = copied_words(held, texts)
        share = others[0] / others[1] if others[1] else None
        beside = "" if share is None else f", of held-out text {_of_100(share)}"
        says = f"Of 100 runs of {_number(WORDS)} words in samples {_of_100(hits / total)} stand there{beside}."
        yield Finding(COPIED, hits / total, share, says=says)


def _bounded(texts: Sequence[Any], most: int) -> list[str]:
    """The first texts, cut where they reach so many characters together."""
    out: list[str] = []
    for text in texts:
        if most <= 0:
            break
        out.append(str(text)[:most])
        most -= len(out[-1])
    return out


def _copied(made: Sequence[str], found: Copies, known: Known) -> tuple[Exhibit, ...]:
    """The samples with the longest runs, and beside each the passage where it stands."""
    order = np.argsort(-found.length[: len(made)], kind="stable")[:EXHIBITED]
    lines = []
    for row in (int(each) for each in order if found.length[each] >= FEWEST_SHOWN):
        length, text, place = (int(part[row]) for part in (found.length, found.text, found.place))
        name = known.name(text, place)
        lines += [
            f"{length:,} characters of sample {row + 1} stand in {name or 'the training text'}:",
            f"  sample    {shown(made[row], int(found.start[row]), length, AROUND)}",
            f"  training  {shown(known.runs[text].text, place, length, AROUND)}",
            "",
        ]
    if not lines:
        return ()
    data = "\n".join(lines).encode("utf-8", "replace")
    return (Exhibit("text/plain", data, "the longest runs that samples share with the training text, between » and «"),)


def _exposure(witness: Witness, known: Known) -> Iterator[Finding]:
    """What the model knows of what looks like a secret."""
    secrets = find(known.texts) if witness.score is not None else []
    if witness.score is None or not secrets:
        return
    texts = known.texts
    tried = exposures(secrets, texts, witness.score, witness.seed)
    if not tried:
        return
    held = [str(run.text) for run in runs(witness.holdout)]
    values = {each.value for each in secrets}
    fresh = [each for each in find(held) if each.value not in values]
    never = exposures(fresh[:EXHIBITED], held, witness.score, witness.seed) if fresh else []
    sure = known_by_heart(tried, never)
    some = f" ({len(tried)} of them were tried)" if len(tried) < len(secrets) else ""
    what = f"Of {len(secrets):,} numbers, addresses and keys in its text that may be secret{some}"
    if sure:
        named = "; ".join(_named(each, known) for each in sure[:3])
        says = f"{what}, it knows {len(sure)} by heart: {named}{'; ...' if len(sure) > 3 else ''}."
    else:
        says = f"{what}, it prefers none to made-up ones by more than chance explains."
    best = max(each.bits for each in tried)
    exhibits = (_table(tried, never, sure, known),)
    yield Finding(EXPOSURE, best, by_chance(len(tried)), says=says, exhibits=exhibits)


def _named(exposed: Exposed, known: Known) -> str:
    """A secret that is told without being given away, and its file."""
    secret = exposed.secret
    where = known.name(secret.text, secret.place)
    times = "once" if secret.times == 1 else f"{secret.times:,} times"
    return f"{_masked(secret.value)} ({times}{', first in ' if where else ''}{where}, {exposed.bits:.0f} bits)"


def _masked(value: str) -> str:
    """The first and the last two characters of a secret: enough for who knows it."""
    return f"{value[:2]}{'•' * (len(value) - 4)}{value[-2:]}"


def _table(tried: Sequence[Exposed], never: Sequence[Exposed], sure: Sequence[Exposed], known: Known) -> Exhibit:
    """Exposures by how often a secret stands in the text, and the files of those that are known by heart."""
    lines = [f"{'stands in the text':<20}{'tried':>8}{'bits on average':>18}{'by heart':>10}"]
    for name, _ in CLASSES:
        part = [each for each in tried if class_of(each.secret) == name]
        if part:
            heart = sum(class_of(each.secret) == name for each in sure)
            lines.append(f"{name:<20}{len(part):>8}{np.mean([e.bits for e in part]):>18.1f}{heart:>10}")
    if never:
        lines.append(f"{'never (held out)':<20}{len(never):>8}{np.mean([e.bits for e in never]):>18.1f}{'':>10}")
    lines += ["", *(f"  {_named(each, known)}" for each in sure)]
    caption = "what looks like a secret, and by how many bits the model prefers it to made-up ones of the same form"
    return Exhibit("text/plain", "\n".join(lines).rstrip().encode("utf-8", "replace"), caption)


def _of_100(share: float) -> str:
    if 0 < share < 0.01:
        return "fewer than 1"
    return "more than 99" if 0.99 < share < 1 else f"{100 * share:.0f}"


def _number(count: int) -> str:
    return {8: "eight"}.get(count, str(count))
