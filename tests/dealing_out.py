"""Which of several processes (pytest-xdist, as `make test` runs it) runs which test.

The tests of a file stay together, for they share fixtures. Files that play in real time, or at a given port, stay
together too: never do two of them play at a time. What takes longest begins first, so that all processes end together.
"""

from pathlib import Path

from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

IN_REAL_TIME = ("test_daemon", "test_sound_card", "test_sound_input", "test_documents")
LONG = (IN_REAL_TIME[0], "test_generator", "test_distributed", "test_train_command", "test_sweeping")


class ByFile(LoadScopeScheduling):
    """Deals out whole files, and all those in real time as if they were one."""

    def _split_scope(self, nodeid: str) -> str:
        file = Path(nodeid.split("::", 1)[0]).stem
        return IN_REAL_TIME[0] if file in IN_REAL_TIME else file

    def _assign_work_unit(self, node: WorkerController) -> None:
        for file in reversed(LONG):
            if file in self.workqueue:
                self.workqueue.move_to_end(file, last=False)
        super()._assign_work_unit(node)
