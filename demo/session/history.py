"""What was done to a face, to undo and redo it."""

Strengths = dict[str, float]
"""The strength of each direction, by its name; those of strength 0 are left out."""

_LONGEST = 200


class History:
    """The edits of one face in the order of making; it begins with none."""

    def __init__(self) -> None:
        self._states: list[Strengths] = [{}]
        self._position = 0
        self._moved: Strengths = {}

    @property
    def current(self) -> Strengths:
        """The edits as they are now, but for what has been moved since."""
        return dict(self._states[self._position])

    @property
    def moving(self) -> Strengths:
        """The edits with what has been moved since the last step; that is no step yet."""
        strengths = self._states[self._position] | self._moved
        return {name: strength for name, strength in strengths.items() if strength}

    def move(self, name: str, strength: float) -> None:
        """Note that one direction's slider has moved; the next step forgets it."""
        self._moved[name] = strength

    @property
    def can_undo(self) -> bool:
        return self._position > 0

    @property
    def can_redo(self) -> bool:
        return self._position < len(self._states) - 1

    def push(self, strengths: Strengths) -> None:
        """Put other edits after the current ones; what was undone is forgotten. Equal ones are no step."""
        self._moved = {}
        changed = {name: strength for name, strength in strengths.items() if strength}
        if changed == self._states[self._position]:
            return
        self._states[self._position + 1 :] = [changed]
        del self._states[:-_LONGEST]
        self._position = len(self._states) - 1

    def undo(self) -> Strengths:
        """Go one step back, where there is one."""
        self._moved = {}
        self._position = max(0, self._position - 1)
        return self.current

    def redo(self) -> Strengths:
        """Go one step forward again, where there is one."""
        self._moved = {}
        self._position = min(len(self._states) - 1, self._position + 1)
        return self.current
