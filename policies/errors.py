"""What can be wrong with a role: a document that does not read, or a rule that cannot be evaluated.

::

    ValueError
    ├── PolicyError        a role document is refused whole, with every problem and its path
    ├── SyntaxProblem      one pattern, template or expression cannot be read
    └── EvaluationError    a rule met a value it cannot judge; decide() denies
"""

Problems = tuple[tuple[str, str], ...]


class PolicyError(ValueError):
    """A document is refused whole; `problems` are (path, message) in document order."""

    def __init__(self, problems: Problems) -> None:
        super().__init__("; ".join(f"{path}: {message}" for path, message in problems))
        self.problems = problems


class SyntaxProblem(ValueError):
    """A pattern, template or expression cannot be read; the message says what to write instead."""


class EvaluationError(ValueError):
    """A rule cannot be judged for this request, so the request is denied."""
