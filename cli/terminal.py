"""Shows what a stranger's program printed, without letting it act on the viewer's terminal.

Colours, cursor movement, erasing, scroll regions and the alternate screen pass. Dropped is what
writes the clipboard or titles (OSC), what makes the terminal type an answer (queries, ENQ, DCS),
what changes keyboard and mouse, and every C1 control. See
https://invisible-island.net/xterm/ctlseqs/ctlseqs.html for the sequences.
"""

import re
from collections.abc import Callable

# Longer than any honest sequence: what never ends must not hide the rest of a recording.
_SEQUENCE_LIMIT = 128
_STRING_LIMIT = 4096

_ESC = "\x1b"
_PASSED_CONTROLS = frozenset("\t\n\v\f\r\b\x0e\x0f")
_STRINGS = frozenset("]P_^X")  # OSC, DCS, APC, PM, SOS
_CHARSETS = frozenset("()*+")
_PASSED_ESCAPES = frozenset("78DEMH")  # save, restore, index, next line, reverse index, tab stop
_PASSED_FINALS = frozenset("@ABCDEFGHIJKLMPSTXZ`abdefgmrsu")
_PASSED_MODES = frozenset({"6", "7", "12", "25", "47", "1047", "1048", "1049"})
_ALTERNATE = frozenset({"47", "1047", "1049"})
_PARAMETERS = re.compile(r"[0-9;:]*")
_BIG = re.compile(r"[0-9]{5,}")


class Screen:
    """A filter from recorded text to harmless text; sequences may be cut between two calls."""

    def __init__(self) -> None:
        self._held = ""
        self._state: Callable[[str], str] = self._text
        self._alternate = False
        self._region = False

    def feed(self, text: str) -> str:
        """What may be written to the terminal now."""
        return "".join([self._state(character) for character in text])

    def reset(self) -> str:
        """Bring the terminal back to what a shell expects, wherever the recording stopped."""
        leave = "\x1b[?1049l" if self._alternate else ""
        # Setting the region moves the cursor home, hence saved and restored around it.
        whole = "\x1b7\x1b[r\x1b8" if self._region else ""
        self._to(self._text)
        return f"{leave}{whole}\x1b[?6l\x1b[?7h\x1b[?25h\x1b[4l\x1b(B\x0f\x1b[0m"

    def _to(self, state: Callable[[str], str], held: str = "") -> str:
        self._state, self._held = state, held
        return ""

    def _text(self, character: str) -> str:
        if character == _ESC:
            return self._to(self._escape)
        if character < " ":
            return character if character in _PASSED_CONTROLS else ""
        return "" if "\x7f" <= character <= "\x9f" else character

    def _escape(self, character: str) -> str:
        if character == "[":
            return self._to(self._control)
        if character in _STRINGS:
            return self._to(self._string)
        if character in _CHARSETS:
            return self._to(self._charset, character)
        if " " <= character <= "/":
            return self._to(self._intermediate)
        self._to(self._text)
        if character in _PASSED_ESCAPES:
            return _ESC + character
        return self._text(character) if character < " " else ""

    def _charset(self, character: str) -> str:
        before = self._held
        self._to(self._text)
        if character < " ":
            return self._text(character)
        # ASCII and line drawing, which full-screen programs use for boxes.
        return f"{_ESC}{before}{character}" if character in "0B" else ""

    def _intermediate(self, character: str) -> str:
        if " " <= character <= "/" and len(self._held) < _SEQUENCE_LIMIT:
            self._held += character
            return ""
        self._to(self._text)
        return self._text(character) if character < " " else ""

    def _control(self, character: str) -> str:
        if "@" <= character <= "~":
            parameters = self._held
            self._to(self._text)
            return self._sequence(parameters, character)
        if not " " <= character <= "?" or len(self._held) >= _SEQUENCE_LIMIT:
            self._to(self._text)
            return self._text(character)
        self._held += character
        return ""

    def _string(self, character: str) -> str:
        if character == _ESC:
            return self._to(self._string_end)
        # BEL ends it, CAN and SUB break it off.
        if character in "\x07\x18\x1a\x9c" or len(self._held) >= _STRING_LIMIT:
            return self._to(self._text)
        self._held += character
        return ""

    def _string_end(self, character: str) -> str:
        if character == "\\":
            return self._to(self._text)
        self._to(self._escape)
        return self._escape(character)

    def _sequence(self, parameters: str, final: str) -> str:
        private = parameters.startswith("?")
        numbers = parameters[1:] if private else parameters
        if not _PARAMETERS.fullmatch(numbers):
            return ""
        if final in "hl":
            return self._modes(numbers, final, private=private)
        if private:
            return f"{_ESC}[?{numbers}{final}" if final in "JK" and numbers != "3" else ""
        if not _is_drawing(numbers, final):
            return ""
        self._region = self._region or final == "r"
        return f"{_ESC}[{_BIG.sub('9999', numbers)}{final}"

    def _modes(self, numbers: str, final: str, *, private: bool) -> str:
        if not private:
            return f"{_ESC}[4{final}" if numbers == "4" else ""  # insert mode
        passed = [mode for mode in numbers.split(";") if mode in _PASSED_MODES]
        if _ALTERNATE.intersection(passed):
            self._alternate = final == "h"
        return f"{_ESC}[?{';'.join(passed)}{final}" if passed else ""


def _is_drawing(numbers: str, final: str) -> bool:
    if final == "J" and "3" in numbers.split(";"):
        return False  # would erase the viewer's own scrollback
    if final in "Tsu" and ";" in numbers:
        return False  # mouse tracking and margins under the same letters
    return final in _PASSED_FINALS


class Plain:
    """A filter from recorded text to lines for programs: no sequences, no carriage returns."""

    def __init__(self) -> None:
        self._screen = Screen()
        self._returned = False

    def feed(self, text: str) -> str:
        """The text of these characters."""
        shown = _SEQUENCES.sub("", self._screen.feed(text))
        return "".join([self._line(character) for character in shown])

    def _line(self, character: str) -> str:
        returned, self._returned = self._returned, character == "\r"
        if character in "\r\n":
            return character.strip("\r")
        if character < " " and character != "\t":
            return ""
        # A line that was written over (a progress bar) becomes a line of its own.
        return f"\n{character}" if returned else character


# What Screen lets pass.
_SEQUENCES = re.compile(r"\x1b(?:\[[0-9;:?]*[@-~]|[()*+][0B]|[78DEMH])")
