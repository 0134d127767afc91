"""A table's own numbers are measured, each beside what real rows get on the same test; ``measures.py`` lists them.

``sight.py`` says what is seen of rows, ``sides.py`` which rows are compared with which. What is measured is told where
it is done: ``fidelity.py`` (a critic, columns, pairs, groups), ``usefulness.py`` (learning from made rows),
``closeness.py`` (copies and distances), ``odd.py`` (odd rows that come out again). A number that cannot be had is left
out. Whether rows break a rule is the codec's to know.
"""

from __future__ import annotations

from ilk.core.device import one_thread
from ilk.core.protocol import Finding, Witness
from ilk.kinds.table.closeness import closeness
from ilk.kinds.table.fidelity import fidelity
from ilk.kinds.table.odd import odd_rows
from ilk.kinds.table.sides import sides
from ilk.kinds.table.sight import look
from ilk.kinds.table.usefulness import usefulness


def measure(witness: Witness) -> tuple[Finding, ...]:
    """Every number that can be had."""
    sight = look(witness)
    if sight is None:
        return ()
    found = list[Finding]()
    rows = sides(sight, witness.seed)
    with one_thread():
        if rows is not None:
            found += [*fidelity(sight, rows, witness.seed), *usefulness(sight, rows, witness.seed)]
        return (*found, *closeness(sight, witness.seed), *odd_rows(sight, witness.seed))
