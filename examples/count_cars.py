#!/usr/bin/env python3
"""A newcomer's test: a client of ours counts the vehicles that pass; the camera says whether it is right."""
import statistics, sys
from vedette import Camera

SCENARIO = """scenario passers
place street
length 70 once
actor first car-hatch drive eastbound from 5
actor second van drive eastbound from 15
actor third bus drive eastbound from 30
actor walker woman walk north-pavement from 1
line post 0 25.5  0 29.3 for car van bus"""

with Camera("virtual:640x360@10") as camera:
    camera.ask("/vedette/stage/scenario", {"text": SCENARIO})
    camera.ask("/axis-cgi/com/ptz.cgi?pan=0&tilt=-11&zoom=2000")  # a keyhole onto the near lane
    # The client: whatever passes the keyhole changes the length of the JPEG. (The head needs a second to get there.)
    sizes = [len(jpeg) for jpeg in camera.pictures(seconds=65, fps=5, resolution="320x180")][10:]
    there = [abs(size / statistics.median(sizes) - 1) > 0.07 for size in sizes]
    counted = sum(now and not before for before, now in zip(there, there[1:]))
    # The truth: who crossed the scenario's line.
    events = camera.ask("/vedette/stage/events?since=2026-06-21T12:00:00Z")["events"]
    passed = [f"{e['class']} at {e['utc'][14:19]}" for e in events if e["type"] == "line"]
print(f"the client counted {counted}; in truth {len(passed)} passed: {', '.join(passed)}")
sys.exit(counted != len(passed))
