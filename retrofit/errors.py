"""The errors a user can cause or has to act on; each is one line that names the file, key or number."""


class BadInput(Exception):
    """What the user gave cannot be used: exit status 2."""


class TrainingFailed(Exception):
    """The work itself failed (a NaN loss, no memory left): exit status 1, the last checkpoint is intact."""
