"""Progress: plain lines for logs, a live line for terminals."""

import io

from noizenet_training.progress import LiveReporter, PlainReporter, figures, reporter


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_log_gets_a_line_every_ten_seconds() -> None:
    stream = io.StringIO()
    times = iter([0.0, 4.0, 9.9, 10.0, 15.0, 25.0])
    report = PlainReporter(stream, lambda: next(times))
    with report:
        report.say("beginning")
        for number in range(6):
            report.advance(number / 5, f"line {number}")
    assert stream.getvalue().splitlines() == ["beginning", "  0%  line 0", " 60%  line 3", "100%  line 5"]


def test_a_terminal_gets_a_live_line() -> None:
    terminal = Terminal()
    report = reporter(terminal)
    assert isinstance(report, LiveReporter)
    with report:
        report.say("skipped: [a] file")
        report.advance(0.5, "round 3, loss 1.25")
    assert "skipped: [a] file" in terminal.getvalue()
    assert "round 3, loss 1.25" in terminal.getvalue()
    assert isinstance(reporter(io.StringIO()), PlainReporter)


def test_figures_leave_out_what_is_not_known_yet() -> None:
    assert figures(1, 5.25, None, None, 61.2) == "round 1, loss 5.250, 1:01 left"
    assert figures(2, 5.0, 4.5, 4.25, 5.0) == "round 2, loss 5.000, held-out 4.500 (kept: 4.250), 0:05 left"
    assert (
        figures(3, 1.234e-5, -0.0123, 0.0, 5.0) == "round 3, loss 1.23e-05, held-out -0.0123 (kept: 0.000), 0:05 left"
    )
