"""What a recorded program wrote, made harmless for the terminal that shows it; pure.

Only sequences on the lists below pass: colours, moving the cursor, erasing, the alternate screen.
Everything else is dropped: titles and the clipboard (OSC), device control (DCS, APC, PM, SOS),
questions that the terminal would answer as if the auditor typed (DSR, DA, DECRQM), modes that
outlive the replay (mouse, bracketed paste, application keys), printing, 8-bit controls.
What is long and has no end is shown as text rather than dropped: nothing hides that way.
Sequences: https://invisible-island.net/xterm/ctlseqs/ctlseqs.html
"""

import re

ESC = "\x1b"
_LONGEST_STRING = 256  # titles and links are shorter; more is shown, not swallowed
_LONGEST_CSI = 64
_LARGEST_NUMBER = 9999
_MOST_REPEATS = 500

_PLAIN = re.compile("[^\x00-\x1f\x7f-\x9f\ud800-\udfff]+")
_CSI = re.compile(r"\x1b\[([<-?]?)([0-9:;]*)([ -/]*)([@-~])")
_CSI_BEGUN = re.compile(r"\x1b\[[0-?]*[ -/]*")
_ESCAPE = re.compile(r"\x1b([ -/]*)([0-~])")
_ESCAPE_BEGUN = re.compile(r"\x1b[ -/]*")
_STRING = re.compile("\x1b[]P^_X]([^\x07\x18\x1a\x1b\x9c]*)(\x07|\x1b\\\\|[\x18\x1a\x1b\x9c])?")

# Shown: cursor, insert and delete, erase, scroll, tabs, colours, scroll region, save and restore.
_SHOWN_CSI = frozenset("@ABCDEFGHIJKLMPSTXZ`abdefmr")
_SHOWN_BARE_CSI = frozenset("su")  # with parameters they mean margins and keyboards
_SHOWN_MODES = frozenset({"7", "25", "47", "1047", "1048", "1049"})
_SCREENS = frozenset({"47", "1047", "1049"})
_SHOWN_ESCAPES = frozenset({"7", "8", "D", "E", "M", "(B", "(0", ")B", ")0"})
_SHOWN_CONTROLS = frozenset("\b\t\n\v\f\r\x0e\x0f")


class Screen:
    """A filter with a memory for what arrives in pieces and for what must be undone."""

    def __init__(self) -> None:
        self._rest = ""
        self._alternate = ""
        self._region = False

    def feed(self, text: str) -> str:
        """The harmless part of the text; the beginning of a sequence waits for its end."""
        text = self._rest + text
        self._rest = ""
        shown: list[str] = []
        at = 0
        while at < len(text):
            if plain := _PLAIN.match(text, at):
                shown.append(plain[0])
                at = plain.end()
            elif text[at] == ESC:
                piece, end = self._sequence(text, at)
                if end is None:
                    self._rest = text[at:]
                    break
                shown.append(piece)
                at = end
            else:
                shown.append(_control(text[at]))
                at += 1
        return "".join(shown)

    def reset(self) -> str:
        """What brings the terminal back to how it was, whatever was shown."""
        undo = f"{ESC}[?{self._alternate}l" if self._alternate else ""
        undo += f"\x0f{ESC}(B{ESC})B{ESC}[0m{ESC}[?7h{ESC}[?25h"
        if self._region:
            undo += f"{ESC}7{ESC}[r{ESC}8"  # resetting the region moves the cursor
        self._rest = self._alternate = ""
        self._region = False
        return undo

    def _sequence(self, text: str, at: int) -> tuple[str, int | None]:
        """The harmless form of the sequence at `at`, and where it ends (None: not here yet)."""
        following = text[at + 1 : at + 2]
        if following == "[":
            return self._csi(text, at)
        if following in {"]", "P", "^", "_", "X"}:
            return _string(text, at)
        if match := _ESCAPE.match(text, at):
            return self._escape(match[1] + match[2]), match.end()
        begun = _ESCAPE_BEGUN.match(text, at)
        assert begun is not None
        return "", _unfinished(text, begun)

    def _csi(self, text: str, at: int) -> tuple[str, int | None]:
        match = _CSI.match(text, at)
        if match is not None:
            return self._judged(*match.groups()), match.end()
        begun = _CSI_BEGUN.match(text, at)
        assert begun is not None
        return "", _unfinished(text, begun)

    def _judged(self, prefix: str, numbers: str, between: str, final: str) -> str:
        if between or len(numbers) > _LONGEST_CSI or _largest(numbers) > _LARGEST_NUMBER:
            return ""
        if prefix:
            return self._modes(numbers, final) if prefix == "?" and final in "hl" else ""
        if final == "b":
            return f"{ESC}[{numbers}b" if _largest(numbers) <= _MOST_REPEATS else ""
        if final == "T" and ";" in numbers:
            return ""  # mouse highlighting
        if final == "J" and _largest(numbers) > 2:
            return ""  # would erase the auditor's own scrollback
        self._region = self._region or final == "r"
        allowed = final in _SHOWN_CSI or (final in _SHOWN_BARE_CSI and not numbers)
        return f"{ESC}[{numbers}{final}" if allowed else ""

    def _modes(self, numbers: str, final: str) -> str:
        modes = [number for number in numbers.split(";") if number in _SHOWN_MODES]
        for mode in modes:
            if mode in _SCREENS:
                self._alternate = mode if final == "h" else ""
        return f"{ESC}[?{';'.join(modes)}{final}" if modes else ""

    def _escape(self, sequence: str) -> str:
        if sequence == "c":  # a full reset would take the auditor's scrollback too
            self._region = False
            return f"{ESC}[0m{ESC}[r{ESC}[H{ESC}[2J"
        return ESC + sequence if sequence in _SHOWN_ESCAPES else ""


class Page:
    """A filter for files and pipes: plain text, one line feed per line, nothing else."""

    def __init__(self) -> None:
        self._screen = Screen()
        self._return = False

    def feed(self, text: str) -> str:
        """The text without any sequence; a carriage return becomes a line feed."""
        text = _SEQUENCES.sub("", self._screen.feed(text))
        if self._return and text:
            text, self._return = "\r" + text, False
        if text.endswith("\r"):
            text, self._return = text[:-1], True
        return text.replace("\r\n", "\n").replace("\r", "\n")

    def reset(self) -> str:
        """What is still due at the end."""
        return "\n" if self._return else ""


_SEQUENCES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[ -/]*[0-~])|[\b\v\f\x0e\x0f]")


def _string(text: str, at: int) -> tuple[str, int | None]:
    match = _STRING.match(text, at)
    assert match is not None
    content, end = match.groups()
    shown = content if len(content) > _LONGEST_STRING else ""
    if end is None or (end == ESC and match.end() == len(text)):
        # The end, or the second half of it, is still to come; too long is shown at once.
        return (_page(content), match.end(1)) if shown else ("", None)
    if end == ESC:  # another sequence begins, which ends this one in every terminal
        return _page(shown), match.end(1)
    return _page(shown), match.end()


def _page(content: str) -> str:
    return "".join(_PLAIN.findall(content))


def _unfinished(text: str, begun: re.Match[str]) -> int | None:
    """Where to go on after the beginning of a sequence; None when its end may still come."""
    waits = begun.end() == len(text) and len(begun[0]) <= _LONGEST_CSI
    return None if waits else begun.end()


def _largest(numbers: str) -> int:
    return max((int(each) for each in re.split("[;:]", numbers) if each), default=0)


def _control(char: str) -> str:
    if "\ud800" <= char <= "\udfff":
        return "\ufffd"  # half a character, which no stream can encode
    return char if char in _SHOWN_CONTROLS else ""
