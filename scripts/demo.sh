#!/usr/bin/env bash
# Learn 12,000 small pictures of clothes in two minutes, make new ones, check their seals, judge the model, say where all is.
#
# Ctrl-C keeps what is learned; running it again goes on from there. Everything is under demo/, which
# may be deleted at any time.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

MODEL=demo/fashion.ilk
ilk() {
    printf '\n$ ilk %s\n' "$*" >&2
    .venv/bin/ilk "$@"
}

stopped=
trap 'stopped=yes' INT TERM
mkdir -p demo
if [[ -e $MODEL ]]; then
    ilk fit -o "$MODEL" --resume
else
    ilk fit demo:fashion -o "$MODEL" --minutes 2
fi
if [[ -n $stopped ]]; then
    echo "Stopped; \`make demo\` goes on from here." >&2
    exit 130
fi
trap - INT TERM

rm -rf demo/pictures demo/sneakers # an earlier run's, perhaps cut short; the same seeds make the same pictures
ilk sample "$MODEL" -n 64 --seed 7 -o demo/pictures
ilk sample "$MODEL" -n 16 --seed 7 --given class=sneaker -o demo/sneakers
ilk verify demo/pictures demo/sneakers | tail -n 1 # a line a file, and the count
ilk report "$MODEL"
cat <<END

Look at
  demo/fashion.ilk/report/index.html
                                how good it is: open it in a browser
  demo/pictures/sheet.png       64 new pictures on one sheet; each alone: demo/pictures/0001.png ...
  demo/sneakers/sheet.png       16 new sneakers
  demo/fashion.ilk/CARD.md      the model card; demo/fashion.ilk/preview.png: what it makes
Go on with
  .venv/bin/ilk show demo/fashion.ilk
  .venv/bin/ilk fit YOUR-PICTURES/ && .venv/bin/ilk sample YOUR-PICTURES.ilk -n 64 -o out/
END
