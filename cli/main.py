"""The entry point: the fast lane for kubectl, and every error turned into one line and a code."""

import os
import sys


def main() -> None:
    """Run `plane` with the process's arguments and exit with its code."""
    arguments = sys.argv[1:]
    # kubectl runs this at every call; click alone would double the time of a warm answer.
    if arguments[:2] == ["kube", "credentials"]:
        from cli.warm import answer

        if answer(arguments[2:]):
            return
    sys.exit(run(arguments))


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code; errors are printed, never raised."""
    from cli.errors import CliError, ExitCode, report

    try:
        return _run(arguments)
    except CliError as error:
        report(error)
        return int(error.code)
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return int(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        # The reader (head, less) has seen enough; Python would complain again while it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(ExitCode.FAILURE)
    except Exception as error:
        if os.environ.get("PLANE_DEBUG"):
            raise
        report(_unexpected(error))
        return int(ExitCode.FAILURE)


def _run(arguments: list[str]) -> int:
    import click

    from cli.errors import CliError, ExitCode
    from cli.root import cli

    try:
        code = cli.main(args=arguments, prog_name="plane", standalone_mode=False)
        sys.stdout.flush()
    except click.UsageError as error:
        if not error.message:  # a group without a command: click shows its help
            error.show()
            return int(ExitCode.USAGE)
        where = error.ctx.command_path if error.ctx else "plane"
        hint = f"Run `{where} --help`."
        raise CliError(error.format_message(), hint=hint, code=ExitCode.USAGE) from None
    except click.Abort:
        raise KeyboardInterrupt from None
    except click.ClickException as error:
        raise CliError(error.format_message()) from None
    return code if isinstance(code, int) else int(ExitCode.OK)


def _unexpected(error: Exception) -> Exception:
    from cli.errors import CliError

    if isinstance(error, OSError) and error.filename:
        return CliError(f"{error.filename}: {error.strerror}")
    return CliError(
        f"{type(error).__name__}: {error}", hint="PLANE_DEBUG=1 shows where it happened."
    )


if __name__ == "__main__":
    main()
