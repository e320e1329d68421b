#!/usr/bin/env python3
"""A newcomer's test: a scenario runs in simulated time, a client of ours counts the vehicles that pass, and the
camera, which knows, says whether it is right. Needs Python and nothing else. usage: count_cars.py [BUILD_FOLDER]"""
import base64, json, ssl, statistics, subprocess, sys, tempfile, urllib.request

fleet = [(sys.argv[1:] or ["build"])[0] + "/cli/vedettectl", "--json", "-u", "root:Correct-horse-7", "fleet"]
where = ["--dir", tempfile.mkdtemp()]
start = ["start", "1", "--first-port", "0", "--clock", "sim", "--source", "virtual:640x360@10"]
camera = json.loads(subprocess.run(fleet + start + where, check=True, capture_output=True).stdout)["cameras"][0]


def ask(path, body=None):  # a body is posted as JSON; the certificate is the camera's own
    login = {"Authorization": "Basic " + base64.b64encode(b"root:Correct-horse-7").decode()}
    request = urllib.request.Request(camera["https"] + path, body and json.dumps(body).encode(), login)
    return urllib.request.urlopen(request, context=ssl._create_unverified_context())


ask("/vedette/stage/scenario", {"text": """scenario passers
place street
length 70 once
actor first car-hatch drive eastbound from 5
actor second van drive eastbound from 15
actor third bus drive eastbound from 30
actor walker woman walk north-pavement from 1
line post 0 25.5  0 29.3 for car van bus"""})
ask("/axis-cgi/com/ptz.cgi?pan=0&tilt=-11&zoom=2000")  # a keyhole onto the near lane

# The client: whatever passes the keyhole changes the length of the JPEG.
stream, sizes = ask("/axis-cgi/mjpg/video.cgi?resolution=320x180&fps=5"), []
for _ in range(5 * 65):
    ask("/vedette/stage/clock", {"advance": 0.2}).read()  # returns when the picture has been sent
    while (line := stream.readline()) != b"\r\n":
        length = int(line.split()[1]) if line.startswith(b"Content-Length") else 0
    sizes.append(len(stream.read(length)))
    stream.readline()
there = [abs(s / statistics.median(sizes) - 1) > 0.03 for s in sizes[10:]]  # the head needs a second to get there
counted = sum(now and not before for before, now in zip(there, there[1:]))

# The truth.
events = json.load(ask("/vedette/stage/events?since=2026-06-21T12:00:00Z"))["events"]
crossed = [f"{e['class']} at {e['utc'][14:19]}" for e in events if e["type"] == "line"]
print(f"the client counted {counted}; in truth {len(crossed)} passed: {', '.join(crossed)}")
subprocess.run(fleet + ["stop", "--all"] + where, check=True, capture_output=True)
sys.exit(counted != len(crossed))
