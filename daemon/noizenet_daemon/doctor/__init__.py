"""`noizenet doctor`: can this machine play this checkpoint live, with these settings.

live_playing (block times, in real time) -> verdicts, with system_checks and sound_devices -> report
"""
