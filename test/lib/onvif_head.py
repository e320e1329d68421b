#!/usr/bin/env python3
"""An ONVIF camera's PTZ service that is not there: what a head needs of it, with logins by
UsernameToken that are really checked, turning as a real one would.

usage: onvif_head.py PORT USER PASSWORD"""
import base64
import datetime
import hashlib
import html
import http.server
import re
import sys
import threading
import time

TT = 'xmlns:tt="http://www.onvif.org/ver10/schema"'
GENERIC = "http://www.onvif.org/ver10/tptz/PanTiltSpaces/PositionGenericSpace"
DEGREES = "http://www.onvif.org/ver10/tptz/PanTiltSpaces/SphericalPositionSpaceDegrees"


class Axis:
    def __init__(self, low, high, top):
        self.low, self.high, self.top = low, high, top  # top speed: of its scale, a second
        self.at, self.to, self.speed, self.when = 0.0, 0.0, 0.0, time.monotonic()

    def now(self):
        t = time.monotonic()
        step, self.when = self.speed * (t - self.when), t
        left = self.to - self.at
        self.at = self.to if abs(left) <= step else self.at + (step if left > 0 else -step)
        return self.at

    def go(self, to, share=1.0):
        self.now()
        self.to, self.speed = min(max(to, self.low), self.high), self.top * share

    def drive(self, v):
        self.go(self.high if v > 0 else self.low if v < 0 else self.now(), abs(v))


class Camera:
    """Fields that a test may set: garbage (answers with this instead), fault (SOAP reason),
    wait (seconds before each answer), skew (its clock, seconds ahead)."""

    def __init__(self, user="root", password="pass", port=0):
        self.user, self.password = user, password
        self.pan, self.tilt, self.zoom = Axis(-1, 1, 0.5), Axis(-1, 1, 0.5), Axis(0, 1, 0.5)
        self.garbage = self.fault = None
        self.wait, self.skew = 0, 0
        self.seen, self.nonces = [], set()
        camera = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                text = self.rfile.read(int(self.headers["Content-Length"])).decode()
                time.sleep(camera.wait)
                status, answer = camera.answer(self.path, text)
                body = answer if isinstance(answer, bytes) else answer.encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/soap+xml; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def envelope(self, body):
        return ('<?xml version="1.0" encoding="UTF-8"?><env:Envelope '
                'xmlns:env="http://www.w3.org/2003/05/soap-envelope" '
                'xmlns:ter="http://www.onvif.org/ver10/error" ' + TT + '><env:Body>' + body +
                '</env:Body></env:Envelope>')

    def refuse(self, subcode, reason, status=400):
        return status, self.envelope(
            "<env:Fault><env:Code><env:Value>env:Sender</env:Value><env:Subcode><env:Value>ter:"
            f"{subcode}</env:Value></env:Subcode></env:Code><env:Reason><env:Text xml:lang=\"en\">"
            f"{reason}</env:Text></env:Reason></env:Fault>")

    def logged_in(self, text):
        def part(name):
            m = re.search(rf"<(?:\w+:)?{name}(?: [^>]*)?>([^<]*)<", text)
            return html.unescape(m.group(1)) if m else ""
        nonce, created = part("Nonce"), part("Created")
        if not nonce or nonce in self.nonces:
            return False
        self.nonces.add(nonce)
        when = datetime.datetime.fromisoformat(created.replace("Z", "+00:00")).timestamp()
        if abs(when - time.time() - self.skew) > 5:
            return False
        want = base64.b64encode(hashlib.sha1(base64.b64decode(nonce) + created.encode() +
                                             self.password.encode()).digest()).decode()
        return part("Username") == self.user and part("Password") == want

    def numbers(self, text, tag):
        m = re.search(rf"<(?:\w+:)?{tag}\b([^>]*)/>", text)
        return {k: float(v) for k, v in re.findall(r'\b([xy])="([^"]*)"', m.group(1))} if m else {}

    def answer(self, path, text):
        call = re.search(r"Body><(?:\w+:)?(\w+)", text).group(1)
        self.seen.append(call)
        if self.garbage is not None:
            return 200, self.garbage
        if call == "GetSystemDateAndTime":
            t = datetime.datetime.fromtimestamp(time.time() + self.skew, datetime.timezone.utc)
            return 200, self.envelope(
                "<tds:GetSystemDateAndTimeResponse xmlns:tds=\"x\"><tds:SystemDateAndTime>"
                f"<tt:UTCDateTime><tt:Time><tt:Hour>{t.hour}</tt:Hour><tt:Minute>{t.minute}"
                f"</tt:Minute><tt:Second>{t.second}</tt:Second></tt:Time><tt:Date><tt:Year>{t.year}"
                f"</tt:Year><tt:Month>{t.month}</tt:Month><tt:Day>{t.day}</tt:Day></tt:Date>"
                "</tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>")
        if not self.logged_in(text):
            return self.refuse("NotAuthorized", "Sender not authorized")
        if self.fault:
            return self.refuse("InvalidPosition", self.fault)
        return self.known(path, call, text)

    def known(self, path, call, text):
        if call == "GetCapabilities":  # a host of its own behind a router: not to be followed
            return 200, self.envelope(
                "<tds:GetCapabilitiesResponse xmlns:tds=\"x\"><tds:Capabilities>"
                "<tt:Media><tt:XAddr>http://192.0.2.1/onvif/media</tt:XAddr></tt:Media>"
                "<tt:PTZ><tt:XAddr>http://192.0.2.1/onvif/ptz</tt:XAddr></tt:PTZ>"
                "</tds:Capabilities></tds:GetCapabilitiesResponse>")
        if call == "GetProfiles" and path == "/onvif/media":
            return 200, self.envelope(
                "<trt:GetProfilesResponse xmlns:trt=\"x\"><trt:Profiles token=\"fixed\"/>"
                "<trt:Profiles token=\"main &amp; only\"><tt:Name>m</tt:Name>"
                "<tt:PTZConfiguration token=\"p\"/></trt:Profiles></trt:GetProfilesResponse>")
        if path != "/onvif/ptz":
            return self.refuse("ActionNotSupported", "no such service here", 404)
        if call == "GetNodes":
            def space(kind, uri, x, y):
                return (f"<tt:{kind}><tt:URI>{uri}</tt:URI><tt:XRange><tt:Min>{x[0]}</tt:Min>"
                        f"<tt:Max>{x[1]}</tt:Max></tt:XRange>" +
                        (f"<tt:YRange><tt:Min>{y[0]}</tt:Min><tt:Max>{y[1]}</tt:Max></tt:YRange>"
                         if y else "") + f"</tt:{kind}>")
            return 200, self.envelope(
                "<tptz:GetNodesResponse xmlns:tptz=\"x\"><tptz:PTZNode token=\"n\">"
                "<tt:SupportedPTZSpaces>" +
                space("AbsolutePanTiltPositionSpace", GENERIC, (-1, 1), (-1, 1)) +
                space("AbsolutePanTiltPositionSpace", DEGREES, (-175, 175), (-45, 90)) +
                space("AbsoluteZoomPositionSpace", "z", (0, 1), None) +
                "</tt:SupportedPTZSpaces></tptz:PTZNode></tptz:GetNodesResponse>")
        if "<ProfileToken>main &amp; only</ProfileToken>" not in text:
            return self.refuse("NoProfile", "no such profile")
        if call == "GetStatus":
            moving = any(a.now() != a.to for a in (self.pan, self.tilt, self.zoom))
            return 200, self.envelope(
                "<tptz:GetStatusResponse xmlns:tptz=\"x\"><tptz:PTZStatus><tt:Position>"
                f"<tt:PanTilt x=\"{self.pan.now():.5f}\" y=\"{self.tilt.now():.5f}\"/>"
                f"<tt:Zoom x=\"{self.zoom.now():.5f}\"/></tt:Position><tt:MoveStatus><tt:PanTilt>"
                f"{'MOVING' if moving else 'IDLE'}</tt:PanTilt></tt:MoveStatus>"
                "</tptz:PTZStatus></tptz:GetStatusResponse>")
        turn, zoom = self.numbers(text, "PanTilt"), self.numbers(text, "Zoom")
        if call == "AbsoluteMove":
            if turn:
                self.pan.go(turn["x"])
                self.tilt.go(turn["y"])
            if zoom:
                self.zoom.go(zoom["x"])
        elif call == "ContinuousMove":
            if turn:
                self.pan.drive(turn["x"])
                self.tilt.drive(turn["y"])
            if zoom:
                self.zoom.drive(zoom["x"])
        elif call == "Stop":
            if "<PanTilt>true" in text:
                self.pan.drive(0)
                self.tilt.drive(0)
            if "<Zoom>true" in text:
                self.zoom.drive(0)
        else:
            return self.refuse("ActionNotSupported", "unknown")
        return 200, self.envelope(f"<tptz:{call}Response xmlns:tptz=\"x\"/>")

    def degrees(self):
        return self.pan.now() * 175, -45 + (self.tilt.now() + 1) / 2 * 135, self.zoom.now()


if __name__ == "__main__":
    if len(sys.argv) != 4 or not sys.argv[1].isdigit():
        sys.exit(__doc__)
    print(f"onvif://{sys.argv[2]}:PASSWORD@127.0.0.1:"
          f"{Camera(sys.argv[2], sys.argv[3], int(sys.argv[1])).port}", flush=True)
    threading.Event().wait()
