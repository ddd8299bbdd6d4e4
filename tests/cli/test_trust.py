"""Trust on first use: a person at a terminal compares the pin and says yes or no."""

import os
import pty
import select
import subprocess
import sys
import time


def converse(person, arguments, answers):
    """Run plane on a terminal of its own; answer each prompt; return (code, all that was shown)."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "cli", *arguments],
        env=person.env, cwd=person.home, stdin=slave, stdout=slave, stderr=slave,
        start_new_session=True,
    )  # fmt: skip
    os.close(slave)
    shown, answers, deadline = "", list(answers), time.monotonic() + 60
    while time.monotonic() < deadline:
        if not select.select([master], [], [], 0.2)[0]:
            if process.poll() is not None:
                break
            continue
        try:
            data = os.read(master, 65536)
        except OSError:
            break
        shown += data.decode()
        if answers and answers[0][0] in shown:
            os.write(master, answers.pop(0)[1].encode() + b"\n")
    os.close(master)
    return process.wait(timeout=10), shown


def test_the_pin_is_shown_and_a_yes_trusts_it(person, plane):
    arguments = ["login", "--proxy", plane.url, "--user", "joe"]
    answers = [("[y/N]", "y"), ("Password of joe", "correct horse")]
    code, shown = converse(person, arguments, answers)
    assert code == 0, shown
    assert plane.ca.pin in shown
    assert "correct horse" not in shown, "the password is not echoed"


def test_a_no_sends_nothing(person, plane):
    code, shown = converse(person, ["login", "--proxy", plane.url], [("[y/N]", "n")])
    assert code == 6, shown
    assert plane.requests == []
