"""The smart codec as its users see it: what is asked for, what is sent, what is told (rows E5, E6),
and that all codecs show the same colours (E10)."""
import json
import re
import subprocess
import time
from xml.etree import ElementTree

import av1_rtp
import pictures

NOBODY = "scenario nobody\nlength 600 loop\n"
SMALL = "resolution=640x360&videocodec=h264"


def streams(c):
    r = c.admin.json("/axis-cgi/streamstatus.cgi", "getAllStreams")
    return r["data"]["streams"]


def quiet_place(t, **more):
    c = t.camera(clock="sim", **more)
    c.setup()
    r = c.admin.post("/vedette/stage/scenario", json.dumps({"text": NOBODY}), type="application/json")
    t.equal(r.status, 200, r.text)
    r = c.admin.post("/vedette/stage", json.dumps({"do": ["wind 0 0s"]}), type="application/json")
    t.equal(r.status, 200, r.text)
    return c


def test_E6_arguments(t):
    """Known values are taken, others refused by name; equal wishes share an encoder."""
    c = t.shared()
    path = "/axis-media/media.amp?" + SMALL
    for bad, name in (("videozstrength=5", "videozstrength"), ("videozgopmode=long", "videozgopmode"),
                      ("videozmaxgoplength=0", "videozmaxgoplength"), ("videozmaxgoplength=1201", "videozmaxgoplength"),
                      ("videozfpsmode=yes", "videozfpsmode"), ("videozminfps=-1", "videozminfps"),
                      ("videozprofile=small", "videozprofile")):
        s = c.rtsp_client(f"{path}&{bad}")
        t.equal(s.describe().status, 400, bad)
        s.close()
    wishes = ["&videozstrength=30&videozgopmode=dynamic&videozmaxgoplength=90",
              "&videozstrength=30&videozgopmode=dynamic&videozmaxgoplength=90&videozminfps=7",  # fixed: no matter
              "&videozstrength=30&videozgopmode=fixed&videozmaxgoplength=90"]
    clients = [c.rtsp_client(path + w) for w in wishes]
    for s in clients:
        s.start()
        s.unit()
    ssrcs = [s.packet().ssrc for s in clients]
    t.equal(ssrcs[0], ssrcs[1])
    t.check(ssrcs[0] != ssrcs[2])
    told = [x["actual"]["smart"] for x in streams(c) if "actual" in x][-3:]
    t.equal([(x["strength"], x["gopmode"], x["maxgoplength"], x["fpsmode"], x["profile"]) for x in told],
            [(30, "dynamic", 90, "fixed", "classic")] * 2 + [(30, "fixed", 0, "fixed", "classic")])
    for s in clients:
        s.close()


def test_E6_parameters(t):
    """What is set holds for streams that say nothing else, and a stream profile says it as well."""
    c = t.shared()
    t.equal(c.param("Image.I0.MPEG.ZStrength"), "10")
    c.set_param(**{"Image.I0.MPEG.ZStrength": "40", "Image.I0.MPEG.ZGopMode": "dynamic",
                   "Image.I0.MPEG.ZMaxGopLength": "600", "Image.I0.MPEG.ZFpsMode": "dynamic",
                   "Image.I0.MPEG.ZMinFps": "5"})
    s = c.rtsp_client("/axis-media/media.amp?" + SMALL)
    s.start()
    s.unit()
    smart = streams(c)[-1]["actual"]["smart"]
    t.equal((smart["strength"], smart["maxgoplength"], smart["fpsmode"], smart["minfps"]), (40, 600, "dynamic", 5.0))
    s.close()
    c.set_param(**{"Image.I0.MPEG.ZStrength": "10", "Image.I0.MPEG.ZGopMode": "fixed",
                   "Image.I0.MPEG.ZMaxGopLength": "300", "Image.I0.MPEG.ZFpsMode": "fixed",
                   "Image.I0.MPEG.ZMinFps": "0"})


def test_E6_zipstream_calls(t):
    """The XML calls say and set what the parameters are; a bad value changes nothing."""
    c = t.shared()

    def call(word, user=c.admin, **args):
        query = "&".join(f"{k}={v}" for k, v in {"schemaversion": 1, **args}.items())
        return user.get(f"/axis-cgi/zipstream/{word}.cgi?{query}")

    def ask(word, **args):
        r = call(word, **args)
        t.equal(r.status, 200, r.text)
        return ElementTree.fromstring(r.text)

    versions = ElementTree.fromstring(c.admin.get("/axis-cgi/zipstream/getschemaversions.cgi").text)
    t.equal(versions.findtext(".//VersionNumber"), "1.0")
    for word, element, values in (("liststrengths", "Strength", ["off", "10", "20", "30", "40", "50"]),
                                  ("listgopmodes", "GopMode", ["fixed", "dynamic"]),
                                  ("listfpsmodes", "FpsMode", ["fixed", "dynamic"]),
                                  ("listprofiles", "Name", ["classic", "storage"])):
        t.equal([e.text for e in ask(word).iter(element)], values, word)
    for word, args in (("setstrength", {"strength": 40}), ("setgop", {"gopmode": "dynamic", "maxgoplength": 120}),
                       ("setfpsmode", {"fpsmode": "dynamic"}), ("setminfps", {"minfps": 5}),
                       ("setprofile", {"profile": "storage"})):
        t.check(ask(word, **args).find("./Success/GeneralSuccess") is not None, word)
    now = ask("getstatus", camera=1).find("./Success/GetStatusSuccess/Status")
    t.equal([now.findtext(n) for n in ("Channel", "Strength", "GopMode", "MaxGopLength", "FpsMode", "MinFps",
                                       "Profile/Name")],
            ["1", "40", "dynamic", "120", "dynamic", "5", "storage"])
    t.equal(c.param("Image.I0.MPEG.ZStrength"), "40")
    for word, args, code in (("setstrength", {"strength": 45}, "50"), ("setgop", {"gopmode": "long"}, "60"),
                             ("setgop", {"gopmode": "fixed", "maxgoplength": 100000}, "70"),
                             ("setfpsmode", {}, "20"), ("getstatus", {"camera": 2}, "20"),
                             ("getstatus", {"schemaversion": 3}, "40")):
        t.equal(ask(word, **args).findtext("./Error/GeneralError/ErrorCode"), code, f"{word} {args}")
    t.equal(ask("getstatus").findtext(".//GopMode"), "dynamic", "nothing of a refused call holds")
    t.equal(call("setstrength", user=c.viewer, strength=10).status, 403)
    for name in ("ZStrength", "ZGopMode", "ZMaxGopLength", "ZFpsMode", "ZMinFps", "ZProfile"):
        standard = {"ZStrength": "10", "ZMaxGopLength": "300", "ZMinFps": "0", "ZProfile": "classic"}
        c.set_param(**{f"Image.I0.MPEG.{name}": standard.get(name, "fixed")})


def test_E6_calm_then_somebody(t):
    """Nobody there: a picture a second, few bytes. Somebody: the first picture with him is sent at once,
    without a key, and good."""
    c = quiet_place(t, source="virtual")
    smart = "&videozstrength=30&videozgopmode=dynamic&videozmaxgoplength=300&videozfpsmode=dynamic"
    s = c.rtsp_client("/axis-media/media.amp?" + SMALL + smart)
    s.start()
    times = []

    def take(seconds):
        c.advance(seconds)
        n = 0
        while s.conn.buf or s.queue or s.conn.readable(0.3):
            p = s.packet()
            if p.marker:
                times.append(p.time)
                n += 1
        return n

    warm = take(4)
    t.check(warm > 14, warm)
    calm = take(4)
    t.check(calm <= 6, f"{calm} pictures in four seconds of nothing")
    actual = streams(c)[-1]["actual"]
    t.check(actual["fps"] < 3 and actual["smart"]["still_share"] > 0.9 and actual["smart"]["left_out"] > 60, actual)
    t.check(actual["kbps"] < 60, actual)
    newest = times[-1]
    r = c.admin.post("/vedette/stage/spawn", json.dumps({"who": "man walk (-2 25 12 25)"}), type="application/json")
    t.equal(r.status, 200, r.text)
    t.equal(take(0.2), 6)
    t.check((times[-6] - newest) & 0xffffffff <= 90000 * 1.1, times[-7:])
    moving = take(1)
    t.check(moving >= 29, moving)
    s.close()


def test_E6_key_for_who_joins(t):
    """In the middle of a long interval, with hardly any pictures coming: a key all the same, at once."""
    c = quiet_place(t)
    query = ("/axis-media/media.amp?" + SMALL + "&videozgopmode=dynamic&videozmaxgoplength=300&videozfpsmode=dynamic")
    a = c.rtsp_client(query)
    a.start()
    c.advance(5)
    b = c.rtsp_client(query)
    with c.ticking():
        b.start()
        _, unit = b.unit()
    t.check(5 in pictures.kinds(unit), pictures.kinds(unit))
    a.close(), b.close()


def decoded(t, data, form, codec=None):
    """Mean red, green and blue of 16 × 9 fields, by the tags of the stream."""
    path = t.dir() / f"one.{form}"
    path.write_bytes(data)
    p = subprocess.run(["ffmpeg", "-nostdin", "-v", "error", *(["-c:v", codec] if codec else []), "-f", form, "-i", path,
                        "-frames:v", "1", "-vf", "scale=out_range=pc:flags=accurate_rnd+full_chroma_int,format=rgb24,"
                        "scale=16:9:flags=area", "-f", "rawvideo", "-"], capture_output=True, timeout=60)
    t.equal((p.returncode, len(p.stdout)), (0, 16 * 9 * 3), p.stderr)
    return p.stdout


def test_E10_same_colours(t):
    """H.264, H.265, AV1 and JPEG of one scene, decoded by what their tags say."""
    t.need("ffmpeg")
    c = quiet_place(t)
    size = "resolution=640x360&compression=5&videozstrength=off"
    # colours that are there: red, green and blue things on the street
    for who in ("bus at 0 30 facing 90", "car at -8 27 facing 90", "woman at -3 24 facing 180"):
        c.admin.post("/vedette/stage/spawn", json.dumps({"who": who}), type="application/json")
    warm = c.rtsp_client("/axis-media/media.amp?resolution=320x180&compression=60")
    warm.start()
    c.advance(4)  # exposure and white balance have settled
    clients = {k: c.rtsp_client(f"/axis-media/media.amp?{size}&videocodec={k}") for k in ("h264", "h265", "av1")}
    seen = {}
    with c.ticking():
        for s in clients.values():
            s.start()
        _, unit = clients["h264"].unit()
        seen["h264"] = decoded(t, b"".join(b"\0\0\0\1" + n for n in unit), "h264")
        nals, part = [], None
        while True:  # RFC 7798
            p = clients["h265"].packet()
            kind = p.payload[0] >> 1 & 63
            if kind == 49:
                if p.payload[2] & 0x80:
                    part = bytes([p.payload[0] & 0x81 | (p.payload[2] & 63) << 1, p.payload[1]])
                part += p.payload[3:]
                if p.payload[2] & 0x40:
                    nals.append(part)
            elif kind == 48:
                at = 2
                while at < len(p.payload):
                    n = int.from_bytes(p.payload[at:at + 2], "big")
                    nals.append(bytes(p.payload[at + 2:at + 2 + n]))
                    at += 2 + n
            else:
                nals.append(bytes(p.payload))
            if p.marker:
                break
        seen["h265"] = decoded(t, b"".join(b"\0\0\0\1" + n for n in nals), "hevc")
        depay, unit = av1_rtp.Av1(), None
        while not unit:
            p = clients["av1"].packet()
            unit = depay.push(p.payload, p.marker, p.time)
        seen["av1"] = decoded(t, unit.stored(), "obu", "libdav1d")
        seen["jpeg"] = decoded(t, c.snapshot("resolution=640x360&compression=5"), "mjpeg")
    fields = seen["jpeg"]
    spread = max(abs(fields[i] - fields[i + 2]) for i in range(0, len(fields), 3))
    t.check(spread > 25, f"nothing in the scene has a colour ({spread})")
    for name, other in seen.items():
        worst = max(abs(a - b) for a, b in zip(fields, other))
        mean = sum(a - b for a, b in zip(fields, other)) / len(fields)
        t.check(worst <= 8 and abs(mean) < 1.5, f"{name}: by up to {worst}, on the average {mean:.2f}")
    for s in (*clients.values(), warm):
        s.close()


def test_E5_bitrate_told(t):
    """A limited stream's real bitrate stands in streamstatus, and it is kept."""
    c = quiet_place(t)
    s = c.rtsp_client("/axis-media/media.amp?" + SMALL + "&videobitratemode=mbr&videomaxbitrate=300&compression=0")
    s.start()
    c.advance(6)
    actual = streams(c)[-1]["actual"]
    t.check(20 < actual["kbps"] <= 450, actual)  # over two seconds, with a second's room
    t.check(28 <= actual["fps"] <= 30.5 and actual["gop"] == 32, actual)
    t.check(re.match(r"video/x-h264", streams(c)[-1]["mime"]))
    s.close()


def work(c):
    return c.admin.json("/axis-cgi/streamstatus.cgi", "getWork")["data"]


def test_E7_two_streams_cost_one_develop(t):
    """Two codecs of one size: one picture is taken, developed and, where it must be, scaled, for both; what is not
    used (overlays, the smart codec) does nothing."""
    c = quiet_place(t)
    c.set_param(**{"Image.I0.Text.TextEnabled": "no", "Image.I0.Text.ClockEnabled": "no", "Image.I0.Text.DateEnabled": "no"})
    size = c.param("Properties.Image.Resolution").split(",")[0]
    plain = f"resolution={size}&videozstrength=off&compression=60"
    clients = [c.rtsp_client(f"/axis-media/media.amp?{plain}&videocodec=h264"),
               c.rtsp_client(f"/axis-media/media.amp?{plain}&videocodec=av1")]
    with c.ticking():
        for s in clients:
            s.start()
    before = work(c)
    c.advance(1)
    after = work(c)
    told = {k: after[k] - before[k] for k in after if k.startswith("pictures")}
    t.check(28 <= told["pictures_taken"] <= 31, told)
    t.equal(told["pictures_developed"], told["pictures_taken"])
    t.check(abs(told["pictures_coded"] - 2 * told["pictures_taken"]) <= 2, told)
    t.equal((told["pictures_painted"], told["pictures_looked_at"]), (0, 0), "what nobody uses")
    t.equal((after["renditions"], after["encoders"]), (1, 2))
    for s in clients:
        s.close()
    c.advance(6)  # nobody watches: nothing runs
    t.equal([work(c)[k] for k in ("renditions", "encoders", "users")], [0, 0, 0])
    # a smaller one is scaled once for both, and painted once
    clients = [c.rtsp_client("/axis-media/media.amp?resolution=320x180&videozstrength=off&videocodec=" + k)
               for k in ("h264", "av1")]
    with c.ticking():
        for s in clients:
            s.start()
    before = work(c)
    c.advance(1)
    after = work(c)
    taken = after["pictures_taken"] - before["pictures_taken"]
    t.check(28 <= taken <= 31 and abs(after["pictures_painted"] - before["pictures_painted"] - taken) <= 1, before, after)
    t.equal(after["renditions"], 1)
    for s in clients:
        s.close()


def test_E6_rate_is_not_promised(t):
    """H.264's parameter sets name a fixed rate only if none is left out by plan: as ffmpeg reads them."""
    t.need("ffmpeg")
    c = t.shared()
    for more, fixed in (("", 1), ("&videozfpsmode=dynamic", 0),
                        ("&videobitratemode=mbr&videomaxbitrate=5000&videobitratepriority=quality", 0)):
        s = c.rtsp_client("/axis-media/media.amp?" + SMALL + more)
        s.start()
        _, unit = s.unit()
        path = t.dir() / f"{len(more)}.h264"
        path.write_bytes(b"".join(b"\0\0\0\1" + n for n in unit))
        p = subprocess.run(["ffmpeg", "-nostdin", "-v", "info", "-f", "h264", "-i", path, "-c", "copy", "-bsf:v", "trace_headers",
                            "-f", "null", "-"], capture_output=True, text=True, timeout=60)
        told = set(re.findall(r"fixed_frame_rate_flag\s+\d\s*=\s*(\d)", p.stderr))
        t.check(told == {str(fixed)}, more, told, p.stderr[-1500:])
        s.close()


def test_E1_what_the_machine_codes(t):
    """A machine that would not keep up says so before: in Properties, by fewer pictures from the first on, which
    streamstatus explains, and by a refusal when not one a second would come. (Simulated time waits: all is possible
    until it is told how many cores there are.)"""
    c = quiet_place(t, source="virtual")

    def rates(codec):
        return dict((k, float(v)) for k, v in (x.split(":") for x in c.param(f"Properties.Image.{codec}.MaxFPS").split(",") if x))

    def set_and_see(name, value, codec):  # what it makes of that follows a moment later
        before = c.param(f"Properties.Image.{codec}.MaxFPS")
        t.equal(c.set_param(**{name: value}).text.strip(), "OK")
        for _ in range(400):
            if c.param(f"Properties.Image.{codec}.MaxFPS") != before:
                return
            time.sleep(0.05)
        t.check(False, "Properties do not follow", name, value, before)

    def set_cores(cores):
        set_and_see("Image.MaxCores", f"{cores:.9f}", "JPEG")

    everything = "jpeg,mjpeg,h264,h265,av1"
    t.equal(set(rates("H265").values()), {30.0})
    t.equal(c.param("Properties.Image.Format"), everything)
    set_cores(0.01)
    fps = rates("H264").get("640x360") or rates("H264")["320x180"] / 4
    if not 4 <= fps <= 14:  # a machine of another kind
        set_cores(0.01 * 7 / fps)
    fps = rates("H264")["640x360"]
    t.check(4 <= fps <= 14, fps)
    t.check(rates("H265").get("640x360", 0) < fps < rates("JPEG")["640x360"], "H.265 is dearer, JPEG cheaper")
    low = rates("H265")
    set_and_see("Image.H265.Effort", "high", "H265")
    t.check(rates("H265").get("640x360", 0) < low["640x360"], "more effort is dearer", low)
    set_and_see("Image.H265.Effort", "auto", "H265")
    t.equal(rates("H265"), low, "auto offers what less effort manages")
    s = c.rtsp_client("/axis-media/media.amp?" + SMALL)
    with c.ticking():
        s.start()
        s.unit()
    c.advance(4)
    actual = streams(c)[-1]["actual"]
    t.check(actual["limited_fps"] <= fps + 0.1 and abs(actual["fps"] - actual["limited_fps"]) < 1.5, actual)
    t.check("this machine" in actual["reason"], actual)
    s.close()
    set_cores(0.000001)
    t.equal(c.param("Properties.Image.Format"), "")
    r = c.rtsp_client("/axis-media/media.amp?resolution=800x450&videocodec=h265").describe()
    t.check(r.status in (453, 503) and "more than this machine codes" in r.text + str(r.headers), r, r.text)
    set_cores(0)
    t.equal(c.param("Properties.Image.Format"), everything)


def test_E6_told_in_the_picture(t):
    """The frame rate, interval of keys and bitrate that a stream really has stand in streamstatus and, if an overlay
    names them, in its pictures, as tesseract reads them."""
    t.need("ffmpeg", "tesseract")
    c = quiet_place(t)
    for k in ("ClockEnabled", "DateEnabled"):
        c.set_param(**{"Image.I0.Text." + k: "no"})
    r = c.admin.json("/axis-cgi/dynamicoverlay/dynamicoverlay.cgi", "addText", params={
        "camera": 1, "text": "FPS #R KEYS #k RATE #b", "fontSize": 110, "position": "top", "textColor": "black",
        "textBGColor": "white", "textOLColor": "transparent"})
    t.check("data" in r, r)
    s = c.rtsp_client("/axis-media/media.amp?resolution=640x360&videocodec=h264&fps=15&videokeyframeinterval=20&compression=5")
    sizes, key, at = [], None, 0

    def take():
        nonlocal key, at
        _, unit = s.unit()
        sizes.append(sum(4 + len(n) for n in unit))
        if 5 in pictures.kinds(unit):
            key, at = unit, len(sizes) - 1
    with c.ticking():
        s.start()
        while len(sizes) < 75:
            take()
    while s.conn.buf or s.queue or s.conn.readable(1):
        take()
    actual = streams(c)[-1]["actual"]
    t.check(at >= 30, sizes)
    d = t.dir()
    (d / "key.h264").write_bytes(b"".join(b"\0\0\0\1" + n for n in key))
    p = subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "h264", "-i", d / "key.h264", "-frames:v", "1", "-vf",
                        "crop=640:90:0:0,scale=1280:-1,format=gray", d / "key.pgm"], capture_output=True, timeout=60)
    t.equal(p.returncode, 0, p.stderr)
    p = subprocess.run(["tesseract", d / "key.pgm", "-", "--psm", "6"], capture_output=True, text=True, timeout=60)
    said = re.search(r"FPS\s+(\d+)\s+KEYS\s+(\d+)\s+RATE\s+(\d+)", p.stdout)
    t.check(said, p.stdout, p.stderr)
    fps, gop, kbps = (int(x) for x in said.groups())
    t.equal((fps, gop, round(actual["fps"]), actual["gop"]), (15, 20, 15, 20), actual)

    def told(end):  # of the pictures of two seconds, 29 or 30: from the first one's time to the newest one's
        return [sum(sizes[end - n + 1:end]) * 8e-3 * 15 / (n - 1) for n in (29, 30)]
    t.check(any(abs(kbps / x - 1) < 0.03 for x in told(at)), "what came before the key picture", kbps, told(at))
    t.check(any(abs(actual["kbps"] / x - 1) < 0.03 for x in told(len(sizes))), "what came last", actual["kbps"], told(len(sizes)))
    s.close()
