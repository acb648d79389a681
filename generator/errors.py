"""The one exception whose message is meant for the person who typed the command."""


class InputError(ValueError):
    """Something the caller gave cannot be used.

    The message is one plain sentence that says what is wrong and what to do. The command lines print it
    without a traceback and exit with status 2.
    """
