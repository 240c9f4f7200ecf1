"""The one exception that users are meant to see."""


class Real3DError(Exception):
    """Wrong input: what was found, what was wanted and the next step, in one sentence.

    The command line prints the message alone and exits with code 2.
    """
