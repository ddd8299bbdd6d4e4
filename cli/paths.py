"""Where plane keeps its files: the XDG folders, or all under PLANE_HOME.

Imports nothing but os and sys, because the credential plugin's fast lane needs it.
"""

import os
import sys

_HEX = "0123456789ABCDEF"


def state_folder() -> str:
    """Profiles: sessions, keys, the pinned CA ($XDG_STATE_HOME/plane)."""
    return _folder("XDG_STATE_HOME", ".local/state", "state")


def cache_folder() -> str:
    """What may be lost: names for completion ($XDG_CACHE_HOME/plane)."""
    return _folder("XDG_CACHE_HOME", ".cache", "cache")


def profile_path(proxy: str) -> str:
    """The file of the login at a server, named after its host and port."""
    return os.path.join(state_folder(), "profiles", f"{file_name(proxy)}.json")  # noqa: PTH118


def file_name(proxy: str) -> str:
    """Write a normalized proxy URL as one file name; two URLs never share one."""
    place = proxy.removeprefix("https://").encode()
    return "".join(chr(b) if _plain(b) else f"%{_HEX[b >> 4]}{_HEX[b & 15]}" for b in place)


def _plain(byte: int) -> bool:
    char = chr(byte)
    return byte < 128 and (char.isalnum() or char in ".-")


def _folder(variable: str, default: str, sub: str) -> str:
    home = os.environ.get("PLANE_HOME")
    if home:
        return os.path.join(home, sub)  # noqa: PTH118
    base = os.environ.get(variable) or _platform_base(default)
    return os.path.join(base, "plane")  # noqa: PTH118


def _platform_base(default: str) -> str:
    user = os.path.expanduser("~")  # noqa: PTH111
    if sys.platform == "darwin":
        return f"{user}/Library/Application Support"
    if sys.platform == "win32":
        return os.environ.get("LOCALAPPDATA") or user
    return f"{user}/{default}"
