"""Every error that NoizeNet raises on purpose.

    NoizeNetError                    one sentence for the user, and the command's exit status
    ├── UsageError           (2)     a command, option or parameter that doesn't exist or doesn't fit
    │   ├── ConfigurationError       every fault of a configuration at once
    │   └── MissingExtraError        a package that the chosen subcommand needs is not installed
    ├── InputFileError       (3)     a file that can't be read or isn't what it should be
    │   ├── CheckpointError          a checkpoint that is cut short, malformed or unsafe
    │   └── SoundFileError           a sound file that can't be decoded, or holds nothing to use
    ├── DeviceError          (4)     a sound device or a network port that isn't available
    ├── TrainingError        (1)     training diverged and couldn't be mended
    ├── NotLiveError         (1)     a machine that can't play a checkpoint live
    └── ControlError         (1)     a control message that is refused; becomes a `/fail` reply

A message names the value, the limit and the remedy.
"""


class NoizeNetError(Exception):
    """Base of all errors that are meant for the user."""

    exit_status = 1


class UsageError(NoizeNetError):
    """A command, option or value that doesn't exist or doesn't fit."""

    exit_status = 2


class ConfigurationError(UsageError):
    """One or more faults in a configuration; the message lists them all."""


class MissingExtraError(UsageError):
    """A subcommand needs packages of an extra that isn't installed."""


class InputFileError(NoizeNetError):
    """A file that can't be read, or isn't what it should be."""

    exit_status = 3


class CheckpointError(InputFileError):
    """A checkpoint that is refused: cut short, malformed, of an unknown format, or unsafe."""


class SoundFileError(InputFileError):
    """A sound file that can't be decoded, or holds nothing to use."""


class DeviceError(NoizeNetError):
    """A sound device or a network port that isn't available."""

    exit_status = 4


class TrainingError(NoizeNetError):
    """Training that diverged and could not be mended."""


class NotLiveError(NoizeNetError):
    """A machine that can't play a checkpoint live with the settings asked for."""


class ControlError(NoizeNetError):
    """A control message that is refused. It becomes an error reply; it never stops the sound."""
