"""``python -m ilk``: the command line."""

from ilk.cli import main

if __name__ == "__main__":
    main()
