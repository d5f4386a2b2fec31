"""How a setting is read from the environment (or `.env`, or a file named by `NAME_FILE`), and how a wrong one is refused."""

from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from environs import EnvError, FileAwareEnv

BASE_DIR = Path(__file__).resolve().parent.parent

env = FileAwareEnv(strip_whitespace=True)
env.read_env(BASE_DIR / ".env", recurse=False)


def refuse(name: str, problem: str) -> ImproperlyConfigured:
    """The one form in which a wrong setting stops the start."""
    return ImproperlyConfigured(f"{name}: {problem}. See .env.example.")


def text(name: str, default: str = "") -> str:
    """An empty value is one that was not given: `.env.example`, copied, changes nothing."""
    try:
        return env.str(name, "") or default
    except (EnvError, ValueError) as error:
        raise refuse(f"{name}_FILE", "must name a file that can be read") from error


def texts(name: str) -> list[str]:
    return [part.strip() for part in text(name).split(",") if part.strip()]


def whole_number(name: str, default: int, *, least: int = 0, most: int = 10**15) -> int:
    try:
        value = int(text(name, str(default)))
    except ValueError as error:
        raise refuse(name, "must be a whole number") from error
    if not least <= value <= most:
        raise refuse(name, f"must be between {least} and {most}, not {value}")
    return value


def seconds(name: str, default: float) -> float:
    try:
        value = float(text(name, str(default)))
    except ValueError as error:
        raise refuse(name, "must be a number of seconds") from error
    if not 0 <= value <= 3600:
        raise refuse(name, f"must be between 0 and 3600 seconds, not {value}")
    return value


def yes_or_no(name: str, default: bool) -> bool:
    value = text(name, str(default)).lower()
    if value not in {"true", "yes", "on", "1", "false", "no", "off", "0"}:
        raise refuse(name, f"must be true or false, not {value!r}")
    return value in {"true", "yes", "on", "1"}


def web_address(name: str, default: str) -> str:
    value = text(name, default)
    try:
        parts = urlsplit(value)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if value and not is_address:
        raise refuse(name, f"must be an http:// or https:// address, not {value!r}")
    return value


def one_of(name: str, default: str, allowed: set[str]) -> str:
    value = text(name, default)
    if value not in allowed:
        raise refuse(name, f"must be one of {', '.join(sorted(allowed))}, not {value!r}")
    return value


def folder(name: str, default: str) -> Path:
    """A folder that exists from now on, made where it is missing."""
    path = BASE_DIR / Path(text(name, default)).expanduser()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise refuse(name, f"must name a folder that can be made: {path}: {error.strerror}") from error
    return path


def one_line(name: str) -> str:
    value = text(name).strip()
    if not value.isprintable():
        raise refuse(name, "must be one line of text")
    return value
