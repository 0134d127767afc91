#!/usr/bin/env bash
# Every benchmark with small settings: one JSON line each on stdout. It shows that they run, not what they
# show; the settings behind docs/benchmarks.md are each script's own defaults. A benchmark that needs the
# real data beside the checkout is left out, with a line, where they are not there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}

small() { # the arguments that make a benchmark short
    case $1 in
        critic) echo "--seconds 10 --count 1000" ;;
        dcgan) echo "--seconds 20" ;;
        flow) echo "--seconds 20 --samples 1000" ;;
        kills) echo "--loads 8 --resumes 1" ;;
        memorised) echo "--settings tiny --trials 20" ;;
        classes) echo "--minutes 0.3 --each 100" ;;
        few) echo "--seconds 20" ;;
        watermark) echo "--pictures 12 --nulls 60" ;;
        speed) echo "--count 2000 --minutes 0.2" ;;
        nanogpt) echo "--seconds 8" ;;
        decode) echo "--rows 4 --new 4 --turns 1 --layers 4" ;;
        single) echo "--new 8 --turns 1" ;;
        canaries) echo "--minutes 0.2" ;;
        schema) echo "--rounds 1" ;;
        tables) echo "--table penguins --train 200 --test 100" ;;
        rows) echo "rules --rows 500" ;;
        augment) echo "--tables phoneme-500 --models logistic --seeds 0 --shuffles 0 --rows 150" ;;
        large) echo "--gigabytes 0.02 --minutes 0.2" ;;
        lora) echo "--seconds 20" ;;
    esac
}

for file in bench/*.py; do
    name=$(basename "$file" .py)
    grep -q '__main__' "$file" || continue # a part of others
    if grep -q '^from \(judge\|pictures\) import\|shared" / "data"\|^from tables import' "$file" && [[ ! -d ../shared/data ]]; then
        echo "bench: $name is left out: ../shared/data is not there" >&2
        continue
    fi
    if grep -q 'pip install lightgbm' "$file" && ! .venv/bin/python -c "import lightgbm" 2>/dev/null; then
        echo "bench: $name is left out: it judges by lightgbm (pip install lightgbm)" >&2
        continue
    fi
    if [[ $name == export ]]; then # it takes a model that lora leaves
        echo "bench: $name is left out: it takes a model (bench/lora.py --work FOLDER)" >&2
        continue
    fi
    if [[ $name == lora ]] && ! .venv/bin/ilk models get smollm2 >/dev/null 2>&1; then
        echo "bench: $name is left out: smollm2 is not there" >&2
        continue
    fi
    echo "bench: $name $(small "$name")" >&2
    # shellcheck disable=SC2046  # a list of words
    .venv/bin/python "$file" $(small "$name") | tail -n 1
done
