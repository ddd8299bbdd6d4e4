"""`python -m cli` is `plane`."""

from cli.main import main

if __name__ == "__main__":
    main()
