"""Run the command line with `python -m fastbert`."""

from fastbert.cli import main

if __name__ == "__main__":
    main()
