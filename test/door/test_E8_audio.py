"""Sound in streams (row E8): what is described, the packets and their times, lip sync."""
import re
import struct

import pictures
import rtsp
import sound

PATH = "/axis-media/media.amp?resolution=320x180&h264profile=baseline&fps=15&audio=1"
SMALL_WORLD = "virtual:street,320x180@30"


def open_both(t, c, path=PATH, transport="RTP/AVP/TCP;unicast;interleaved={}-{}"):
    """A client of pictures and sound that plays."""
    s = c.rtsp_client(path)
    t.equal(s.describe().status, 200)
    for i, url in enumerate(s.controls):
        r = s.setup(transport.format(2 * i, 2 * i + 1), url)
        t.equal(r.status, 200, r)
    r = s.play()
    t.equal(r.status, 200, r)
    s.info = r.get("rtp-info")
    return s


def sections(sdp):
    return ["m=" + part for part in sdp.split("\r\nm=")[1:]]


def test_E8_description(t):
    c = t.shared()
    for args, m, lines in (
            ("", "m=audio 0 RTP/AVP 97",
             ["a=rtpmap:97 mpeg4-generic/16000/1",
              "a=fmtp:97 streamtype=5;profile-level-id=40;mode=AAC-hbr;config=1408;sizelength=13;"
              "indexlength=3;indexdeltalength=3"]),
            ("&audiosamplerate=48000&audiobitrate=96000", "m=audio 0 RTP/AVP 97",
             ["b=AS:96", "a=rtpmap:97 mpeg4-generic/48000/1"]),
            ("&audiocodec=opus", "m=audio 0 RTP/AVP 97", ["a=rtpmap:97 opus/48000/2"]),
            ("&audiocodec=g711", "m=audio 0 RTP/AVP 0", ["a=rtpmap:0 PCMU/8000"]),
            ("&audiocodec=pcma", "m=audio 0 RTP/AVP 8", ["a=rtpmap:8 PCMA/8000"]),
            ("&audiocodec=g711&audiosamplerate=16000", "m=audio 0 RTP/AVP 97",
             ["a=rtpmap:97 PCMU/16000"]),
            ("&audiocodec=g726&audiobitrate=24000", "m=audio 0 RTP/AVP 97",
             ["a=rtpmap:97 G726-24/8000"]),
            ("&audiobitrate=40000&audiocodec=g726", "m=audio 0 RTP/AVP 97",
             ["a=rtpmap:97 G726-40/8000"]),
            ("&audiocodec=lpcm&audiosamplerate=48000", "m=audio 0 RTP/AVP 97",
             ["a=rtpmap:97 L16/48000/1"])):
        s = c.rtsp_client(PATH + args)
        r = s.describe()
        t.equal(r.status, 200, args)
        video, audio = sections(s.sdp)
        t.check(video.startswith("m=video 0 RTP/AVP 96\r\n"), video)
        t.equal(audio.split("\r\n")[0], m)
        for line in lines:
            t.check(line + "\r\n" in audio, line, audio)
        t.match(r"a=control:rtsp://\S+/stream=1\?\S*audio=1", audio)
    for args, name in (("&audiocodec=mp3", "audiocodec"), ("&audiosamplerate=11025", "audiosamplerate"),
                       ("&audiobitrate=1", "audiobitrate"), ("&audio=maybe", "audio"),
                       ("&audiocodec=g726&audiobitrate=64000", "audiobitrate")):
        r = c.rtsp_client(PATH + args).describe()
        t.equal(r.status, 400, args)
        t.check(name.encode() in r.body, r.body)


def test_E8_settings(t):
    """Audio.A0.Enabled decides what streams contain that do not ask; AudioSupport all."""
    c = t.shared()
    path = "/axis-media/media.amp?resolution=320x180"

    def media(args=""):
        s = c.rtsp_client(path + args)
        r = s.describe()
        t.equal(r.status, 200, r)
        return [m.split()[0] for m in sections(s.sdp)]
    t.equal(media(), ["m=video"])
    try:
        t.equal(c.update("Audio.A0.Enabled", "yes").status, 200)
        t.equal(c.update("AudioSource.A0.AudioEncoding", "opus").status, 200)
        t.equal(media(), ["m=video", "m=audio"])
        t.equal(media("&audio=0"), ["m=video"])
        t.equal(media("&video=0"), ["m=audio"])
        r = c.rtsp_client(path + "&video=0&audio=0").describe()
        t.equal(r.status, 404)
        t.equal(c.update("AudioSource.A0.AudioSupport", "no").status, 200)
        t.equal(media("&audio=1"), ["m=video"])
    finally:
        for name, value in (("Audio.A0.Enabled", "no"), ("AudioSource.A0.AudioSupport", "yes"),
                            ("AudioSource.A0.AudioEncoding", "aac")):
            c.update(name, value)


def test_E8_packets(t):
    """Timestamps count samples without a hole; payloads are as the RFCs say."""
    c = t.camera(clock="sim", source=SMALL_WORLD).setup(users=False)
    for args, step, size in (("audiocodec=g711", 160, 160), ("audiocodec=g726", 160, 80),
                             ("audiocodec=g726&audiobitrate=40000", 160, 100),
                             ("audiocodec=lpcm&audiosamplerate=44100", 441, 882),
                             ("audiocodec=opus", 960, None), ("audiocodec=aac", 1024, None),
                             ("audiocodec=aac&audiosamplerate=44100", 1024, None)):
        with c.ticking():
            s = open_both(t, c, "/axis-media/media.amp?video=0&audio=1&" + args)
            seq, when = re.search(r"seq=(\d+);rtptime=(\d+)", s.info).groups()
            got = [s.packet(0) for _ in range(20)]
        t.equal((got[0].seq, got[0].time), (int(seq), int(when)), "RTP-Info")
        t.equal({b.time - a.time & 0xffffffff for a, b in zip(got, got[1:])}, {step}, args)
        t.equal({b.seq - a.seq & 0xffff for a, b in zip(got, got[1:])}, {1}, args)
        if size:
            t.equal({len(p.payload) for p in got}, {size}, args)
        if "aac" in args:
            for p in got:
                bits, header = struct.unpack(">HH", p.payload[:4])
                t.equal((bits, header >> 3, p.marker), (16, len(p.payload) - 4, 1))
        else:
            t.equal({p.marker for p in got}, {0}, args)
        s.call("TEARDOWN")
    t.equal(c.admin.get("/axis-cgi/usergroup.cgi").status, 200)


def test_E8_lip_sync(t):
    """A clap is seen and heard at the same time, by the clocks of the sender reports: within a
    picture, and never 40 ms apart."""
    t.need("ffmpeg")
    c = t.camera(clock="sim", source=SMALL_WORLD).setup(users=False)
    c.admin.post("/vedette/stage/scenario", '{"name": "quiet-night"}', type="application/json")
    for codec in ("g711", "lpcm"):
        with c.ticking():
            s = open_both(t, c, PATH.replace("fps=15", "fps=30") + "&audiocodec=" + codec)
            clocks, depay, units, samples = sound.Clocks(), pictures.H264(), [], []
            first = None
            while len(units) < 60:
                if len(units) == 20 and not first:
                    first = True
                    r = c.admin.post("/vedette/stage", '{"clap": true}', type="application/json")
                    t.equal(r.status, 200, r)
                channel, data = s.data()
                if channel in (1, 3):
                    hz = 90000 if channel == 1 else 8000 if codec == "g711" else 16000
                    clocks.hear(channel - 1, data, hz)
                elif channel == 0:
                    p = rtsp.Packet(data)
                    unit = depay.push(p.payload, p.marker)
                    if unit:
                        units.append((p.time, unit))
                else:
                    p = rtsp.Packet(data)
                    raw = [sound.ULAW[b] for b in p.payload] if codec == "g711" else \
                        struct.unpack(f">{len(p.payload) // 2}h", p.payload)
                    samples += [(p.time + i & 0xffffffff, v) for i, v in enumerate(raw)]
        s.call("TEARDOWN")
        luma = sound.luma_of_clap(b"".join(b"\0\0\0\1" + n for _, u in units for n in u), len(units))
        seen = next(i for i, y in enumerate(luma) if y > 210)
        t.check(seen > 15, luma)
        heard = sound.onset([v for _, v in samples])
        at_seen, at_heard = clocks.wall(0, units[seen][0]), clocks.wall(2, samples[heard][0])
        t.check(-0.001 <= at_heard - at_seen + 0.0334 and abs(at_heard - at_seen) < 0.04,
                f"{codec}: heard {1000 * (at_heard - at_seen):.1f} ms after it was seen")


def test_E8_both_over_udp(t):
    """Each track has sockets of its own; both end with the session."""
    c = t.shared()
    s = c.rtsp_client(PATH + "&audiocodec=g711")
    t.equal(s.describe().status, 200)
    t.equal(s.setup_udp().status, 200)
    video, video_rtcp, urls = s.rtp, s.rtcp_sock, s.controls
    s.controls = urls[1:]
    r = s.setup_udp()
    t.equal(r.status, 200, r)
    audio, audio_rtcp = s.rtp, s.rtcp_sock
    t.equal(s.play().status, 200)
    a = [rtsp.Packet(audio.recv(2048)) for _ in range(30)]
    v = rtsp.Packet(video.recv(2048))
    t.equal((a[0].type, v.type), (0, 96))
    t.check(a[0].ssrc != v.ssrc)
    t.equal([p.seq - a[0].seq & 0xffff for p in a], list(range(30)))
    t.equal({k for k, _, _ in rtsp.rtcp(audio_rtcp.recv(2048))}, {200, 202})
    t.equal({k for k, _, _ in rtsp.rtcp(video_rtcp.recv(2048))}, {200, 202})
    t.equal(s.call("TEARDOWN").status, 200)
    t.check(203 in {k for k, _, _ in rtsp.rtcp(audio_rtcp.recv(2048))}, "BYE")


def test_E8_session_rules(t):
    """SETUP of tracks that there are not, over another transport, to one port, and anew."""
    c = t.shared()
    tcp = "RTP/AVP/TCP;unicast"
    s = c.rtsp_client(PATH)
    t.equal(s.describe().status, 200)
    base = s.controls[0].split("/stream=")[0]
    query = s.controls[0].split("?")[1]
    t.equal(s.setup(tcp, f"{base}/stream=3?{query}").status, 404)
    t.equal(s.setup(tcp).status, 200)
    t.match(r"interleaved=0-1", s.transport)
    session = s.session
    r = s.setup(tcp, s.controls[1])
    t.equal((r.status, s.session), (200, session))
    t.match(r"interleaved=2-3", s.transport)
    t.equal(s.setup("RTP/AVP;unicast;client_port=6000-6001", s.controls[1]).status, 461)
    t.equal(s.setup(tcp + ";interleaved=0-1", s.controls[1]).status, 200, "anew")
    t.match(r"interleaved=2-3", s.transport, "not the channels of the pictures")
    t.equal(s.play().status, 200)
    t.equal(s.setup(tcp, s.controls[1]).status, 455)
    kinds = {s.data()[0] for _ in range(60)}
    t.check({0, 2} <= kinds, kinds)
    t.equal(s.call("TEARDOWN").status, 200)
    s = c.rtsp_client(PATH)
    t.equal(s.describe().status, 200)
    t.equal(s.setup("RTP/AVP;unicast;client_port=6100-6101").status, 200)
    t.equal(s.setup("RTP/AVP;unicast;client_port=6100-6101", s.controls[1]).status, 461)
    t.equal(s.setup("RTP/AVP;unicast;client_port=6102-6103", s.controls[1]).status, 200)


def test_E8_same_sound_again(t):
    """The same seed and scenario sound the same; without listeners nothing runs."""
    heard = []
    for _ in range(2):
        c = t.camera(clock="sim", source=SMALL_WORLD, seed=7).setup(users=False)
        c.advance(5 - float(c.advance(0).json["now"]))
        s = c.rtsp_client("/axis-media/media.amp?video=0&audio=1&audiocodec=g711")
        t.equal(s.describe().status, 200)
        t.equal(s.setup().status, 200)
        s.send("PLAY")
        c.advance(0.5)
        t.equal(s.reply().status, 200)
        heard.append(b"".join(s.packet().payload for _ in range(20)))
        s.close()
        c.stop()
    t.equal(heard[0], heard[1])
    t.check(len(set(heard[0])) > 8, "not silence")


def test_E8_multicast(t):
    """Sound has a group and port of its own, described for who must name the sender, too."""
    import test_multicast
    test_multicast.need_multicast(t)
    c = t.shared()
    s = c.rtsp_client(PATH.replace("media.amp", "ssm/media.amp") + "&audiocodec=g711")
    c.update("Network.RTP.R0.VideoAddress", "232.5.6.7")
    c.update("Network.RTP.R0.AudioAddress", "232.5.6.8")
    try:
        t.equal(s.describe().status, 200)
        video, audio = sections(s.sdp)
        t.check("c=IN IP4 232.5.6.7/5\r\n" in video and "c=IN IP4 232.5.6.8/5\r\n" in audio, s.sdp)
        t.match(r"m=audio \d{4,5} RTP/AVP 0\r\n", audio)
        heard = []
        for url, group in zip(s.controls, ("232.5.6.7", "232.5.6.8")):
            r = s.setup("RTP/AVP;multicast", url)
            t.equal(r.status, 200, r)
            port = int(re.search(r"port=(\d+)-", s.transport).group(1))
            t.match(rf"destination={group};", s.transport)
            heard.append(test_multicast.join(group, port, "127.0.0.1"))
        t.equal(s.play().status, 200)
        t.equal(rtsp.Packet(heard[0].recv(2048)).type, 96)
        a = [rtsp.Packet(heard[1].recv(2048)) for _ in range(10)]
        t.equal({p.type for p in a}, {0})
        t.equal({q.time - p.time & 0xffffffff for p, q in zip(a, a[1:])}, {160})
        t.equal(s.call("TEARDOWN").status, 200)
    finally:
        for k in ("Video", "Audio"):
            c.update(f"Network.RTP.R0.{k}Address", "239.192.0.1")
