"""The exception whose message is shown to the user."""


class InputError(ValueError):
    """The user's input cannot be used.

    The message is one plain sentence with a remedy. Command lines print it without a traceback and exit with status
    2.
    """
