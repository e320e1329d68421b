"""Multicast with players that nobody here wrote, unmodified (row E2). They join where the route
to the group leads, which loopback has only in a network of its own: a network namespace, which
takes root. Skipped aloud without."""
import contextlib
import ctypes
import os
import re
import socket
import struct
import subprocess
import time

import rtsp
import vedette

BUILD = "release"
SOURCE = "virtual"  # as it is delivered
CLONE_NEWNET = 0x40000000
U, P = vedette.ADMIN
QUERY = "?resolution=640x360&fps=15&videokeyframeinterval=15"


@contextlib.contextmanager
def own_network(t):
    """This thread and what it starts see one loopback interface and nothing else."""
    t.need("ip")
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/thread-self/ns/net") as outer:
        if libc.unshare(CLONE_NEWNET):
            t.skip(f"no network of its own: {os.strerror(ctypes.get_errno())}")
        try:
            for command in ("ip link set lo up multicast on", "ip route add 224.0.0.0/4 dev lo",
                            "ip -6 route add local ff00::/8 dev lo"):
                p = subprocess.run(command.split(), capture_output=True, text=True)
                if p.returncode:
                    t.skip(f"{command}: {p.stderr.strip()}")
            yield
        finally:
            t.check(not libc.setns(outer.fileno(), CLONE_NEWNET), "the way back")


def url(c, path="/axis-media/media.amp"):
    return f"rtsp://{U}:{P}@127.0.0.1:{c.rtsp}{path}{QUERY}"


def players(n, argv):
    """n at a time; [(exit status, stdout, stderr)]"""
    all = [subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
           for _ in range(n)]
    end = time.monotonic() + 60
    found = []
    try:
        for p in all:
            out, err = p.communicate(timeout=max(1, end - time.monotonic()))
            found.append((p.returncode, out, err))
    finally:
        for p in all:
            p.kill()
    return found


def test_E2_multicast_ffmpeg(t):
    """Two at once, from the ordinary address and from the source-specific one."""
    t.need("ffmpeg")
    with own_network(t):
        c = t.camera()
        c.setup()
        for path in ("/axis-media/media.amp", "/axis-media/ssm/media.amp"):
            for status, out, err in players(2, [
                    "ffmpeg", "-nostdin", "-hide_banner", "-v", "warning", "-rtsp_transport", "udp_multicast", "-i",
                    url(c, path), "-frames:v", "40", "-an", "-fps_mode", "passthrough", "-f", "null", "-progress",
                    "pipe:1", "-"]):
                t.equal(status, 0, err[-2000:])
                t.equal(int(re.findall(r"^frame=(\d+)", out, re.M)[-1]), 40)
                # who joins between two key pictures cannot decode before the next
                bad = [l for l in err.splitlines() if re.search(r"missed|bad cseq|overrun|corrupt|401|461", l)]
                t.check(not bad, "\n".join(bad[:10]))
        begun, over = (re.findall(rf"multicast to 239\S+ port \d+ {x}", c.log) for x in ("begins", "ends"))
        t.check(len(begun) >= 2, c.log)
        t.equal(len(begun), len(over), "what began has ended with the last player")
        c.stop()


def test_E2_multicast_ip6(t):
    """The group's address may have the other kind than the one that was called."""
    with own_network(t):
        c = t.camera()
        c.setup()
        lo = socket.if_nametoindex("lo")
        for group, path in (("ff15::1:77", "/axis-media/media.amp"), ("ff12::77", "/axis-media/media.amp"),
                            ("ff35::8000:77", "/axis-media/ssm/media.amp")):
            t.equal(c.update("Network.RTP.R0.VideoAddress", group).text.strip(), "OK")
            s = c.rtsp_client(path + QUERY)
            t.equal(s.describe().status, 200)
            t.equal("c=IN IP6 " + group in s.sdp, "ssm" in path, s.sdp)
            t.equal("a=source-filter: incl IN IP6 ff35::8000:77 ::1\r\n" in s.sdp, "ssm" in path, s.sdp)
            r = s.setup("RTP/AVP;multicast")
            t.equal(r.status, 200, r)
            port = int(re.search(rf"destination={group};source=::1;port=(\d+)-", r.get("transport")).group(1))
            with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as receiver:
                receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
                receiver.bind((group, port, 0, lo))
                receiver.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP,
                                    socket.inet_pton(socket.AF_INET6, group) + struct.pack("I", lo))
                receiver.settimeout(10)
                t.equal(s.play().status, 200)
                numbers = [rtsp.Packet(receiver.recv(65536)).seq for _ in range(60)]
            t.equal({(b - a) & 0xffff for a, b in zip(numbers, numbers[1:])}, {1})
            t.equal(s.call("TEARDOWN").status, 200)
        c.stop()


def test_E2_multicast_gstreamer(t):
    t.need("gst-launch-1.0")
    os.environ["GST_REGISTRY"] = str(t.dir() / "registry")
    with own_network(t):
        c = t.camera()
        c.setup()
        for path in ("/axis-media/media.amp", "/axis-media/ssm/media.amp"):
            argv = ["gst-launch-1.0", "-q", "rtspsrc", f"location={url(c, path)}", "protocols=udp-mcast", "latency=100",
                    "!", "rtph264depay", "!", "h264parse", "!", "avdec_h264", "!", "identity", "eos-after=40", "!",
                    "fakesink", "sync=false"]
            for _ in range(3):
                played = players(2, argv)
                # As in test_E2_gstreamer: at times it shuts its own socket before its PAUSE.
                if not any("gst_rtspsrc_pause" in err for _, _, err in played):
                    break
            for status, out, err in played:
                t.equal(status, 0, err[-2000:])
                bad = [l for l in err.splitlines() if re.search(r"ERROR|not negotiated", l)]
                t.check(not bad, bad[:10])
        c.stop()
