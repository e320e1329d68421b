"""Encrypted media (row E2): what is described, and what is refused. That it can be decrypted is
for clients to show that nobody here wrote (test/alien)."""
import base64
import re

import rtsp

SHARED = {"clock": "sim"}
PATH = "/axis-media/media.amp?resolution=320x180"
SECRET = PATH + "&srtp=1"


def keys_of(sdp):
    return re.findall(r"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:(\S+)", sdp)


def test_E2_srtp_is_described(t):
    c = t.shared()
    r = c.rtsp_client(SECRET, tls=True)
    with c.ticking():
        first, second = r.describe().text, r.describe().text
    t.match(r"m=video 0 RTP/SAVP 96\r\n", first)
    sdes, = keys_of(first)
    key = base64.b64decode(sdes)
    t.equal(len(key), 30)
    mikey = base64.b64decode(re.search(r"a=key-mgmt:mikey (\S+)", first).group(1))
    t.equal(mikey[:3], b"\x01\x00\x05", "version 1, pre-shared key, a time stamp follows")
    t.check(key in mikey, "both tell the same key")
    t.check(keys_of(second) != [sdes], "each description has a key of its own")
    plain = c.rtsp_client(PATH, tls=True)
    with c.ticking():
        t.check("SAVP" not in plain.describe().text and not keys_of(plain.describe().text))


def test_E2_srtp_packets(t):
    """Tag behind each packet, payload unlike that of the others, reports too."""
    c = t.shared()
    with c.ticking():
        r = c.rtsp_client(SECRET, tls=True)
        r.describe()
        reply = r.setup("RTP/SAVP/TCP;unicast;interleaved=0-1")
        t.equal(reply.status, 200)
        t.match(r"^RTP/SAVP/TCP;unicast;interleaved=0-1;ssrc=", reply.get("transport"))
        r.play()
        plain = c.rtsp_client(PATH)
        plain.start()
        ours, reports = {}, 0
        while len(ours) < 60:
            channel, data = r.data()
            if channel == 0:
                p = rtsp.Packet(data)
                ours[p.seq] = p
            else:
                reports += 1
                t.equal(data[1], 200, "a report's head stays readable")
                t.equal(data[-14:-10], (0x80000000 + reports - 1).to_bytes(4, "big"), "encrypted, numbered")
        t.check(reports, "a report comes with the first packets")
        seen = 0
        for _ in range(60):
            p = plain.packet()
            q = ours.get(p.seq)
            if q:
                seen += 1
                t.equal((q.ssrc, q.time, q.marker), (p.ssrc, p.time, p.marker))
                t.equal(len(q.payload), len(p.payload) + 10)
                t.check(len(p.payload) < 40 or p.payload[4:] not in q.payload)
        t.check(seen > 5, seen)


def test_E2_srtp_key_names(t):
    """srtp=mki: the key has a name, told by both, which stands in each packet before its tag."""
    c = t.shared()
    with c.ticking():
        r = c.rtsp_client(PATH + "&srtp=mki", tls=True)
        sdp = r.describe().text
        t.match(r"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:[A-Za-z0-9+/]{40}\|1:4\r\n", sdp)
        mikey = base64.b64decode(re.search(r"a=key-mgmt:mikey (\S+)", sdp).group(1))
        t.equal(mikey[-6:], b"\4\0\0\0\1\0", "valid where packets name it")
        t.equal(r.setup("RTP/SAVP/TCP;unicast;interleaved=0-1").status, 200)
        r.play()
        for _ in range(20):
            channel, data = r.data()
            t.equal(data[-14:-10], b"\0\0\0\1")


def test_E2_srtp_key_of_the_client(t):
    """SETUP may tell the key of the client's reports; one that cannot be used is refused."""
    c = t.shared()
    with c.ticking():
        r = c.rtsp_client(SECRET, tls=True)
        sdp = r.describe().text
        ours = re.search(r"a=key-mgmt:mikey (\S+)", sdp).group(1)  # any well-formed message will do
        tcp = ("Transport", "RTP/SAVP/TCP;unicast;interleaved=0-1")
        for bad in ("prot=mikey", 'prot=mikey;data="AA=="', 'prot=other;data="AA=="', 'prot=mikey;data="%"',
                    f'prot=mikey;data="{ours[:-8]}"'):
            t.equal(r.call("SETUP", r.controls[0], [tcp, ("KeyMgmt", bad)]).status, 463, bad)
        reply = r.call("SETUP", r.controls[0], [tcp, ("KeyMgmt", f'prot=mikey;uri="{r.controls[0]}";data="{ours}"')])
        t.equal(reply.status, 200)


def test_E2_srtp_refusals(t):
    c = t.shared()
    with c.ticking():
        plain = c.rtsp_client(SECRET)
        r = plain.call("DESCRIBE", headers=[("Accept", "application/sdp")])
        t.equal(r.status, 400)
        t.match("rtsps", r.text)
        r = c.rtsp_client(PATH + "&srtp=2", tls=True).call("DESCRIBE", headers=[("Accept", "application/sdp")])
        t.equal(r.status, 400)
        open_ = c.rtsp_client(PATH, tls=True)
        open_.describe()
        t.equal(open_.setup("RTP/SAVP;unicast;client_port=40100-40101").status, 461)
        t.equal(open_.setup("RTP/AVP;unicast;client_port=40100-40101").status, 461, "in the clear beside TLS")
        s = c.rtsp_client(SECRET, tls=True)
        s.describe()
        udp = "RTP/SAVP;unicast;client_port=40110-40111"
        r = s.setup(udp)
        t.equal(r.status, 200)
        t.match(r"^RTP/SAVP;unicast;client_port=40110-40111;server_port=", r.get("transport"))
        t.equal(s.call("SETUP", s.controls[0], [("Transport", udp)]).status, 455, "a key is for one set-up")
        t.equal(s.call("SETUP", s.controls[0], [("Transport", "RTP/SAVP;multicast")]).status, 461)
