"""Privacy masks (row C1): what they hide is in no coded picture, whatever the camera does; a change
holds before it is answered; only administrators change them.

A decal paints what lies beneath a mask in a colour that is nowhere else: red without green."""
import json
import os
import re
import subprocess
import urllib.parse

import pictures
import test_hls
import vedette
from test_B_eye import Film

BUILD = os.environ.get("VEDETTE_C1_BUILD", "asan")

CGI = "/axis-cgi/privacymask.cgi"
GROUP = "Image.I0.Overlay.MaskWindows"
HOUSE = [(-12, 8), (1, 8), (-2, 1), (1, -5), (-6, -8), (-12, -5)]
SIZE = "resolution=640x360"
PURPLE = 60  # how far red and blue stand above green; chroma of coded pictures bleeds by less


def camera(t, **more):
    c = t.camera(clock="sim", source="virtual:640x360@10", **more)
    c.setup(users=True)
    for name in ("Image.I0.Text.ClockEnabled", "Image.I0.Text.DateEnabled"):
        c.update(name, "no")
    c.rest()
    return c


def polygon(points):
    return ":".join(f"{p},{t}" for p, t in points)


def ask(c, **args):
    """What privacymask.cgi says; None: done."""
    r = c.admin.post(CGI, urllib.parse.urlencode(args))
    assert r.status in (200, 204), r
    return r.text.strip() or None


def masks_of(c):
    return c.admin.get(CGI + "?query=listpxjson").json["listpx"]


def decal(c, points):
    r = c.admin.post("/vedette/stage/decal", json.dumps({"points": points}),
                     type="application/json")
    assert r.status == 200, r


def stage(c, **values):
    r = c.admin.post("/vedette/stage", json.dumps(values), type="application/json")
    assert r.status == 200, r


def purple(data):
    """How many pixels show the decal."""
    return count(pictures.rgb(data)[2])


def covered(data, colour=(0, 0, 0), tolerance=24):
    _, _, rgb = pictures.rgb(data)
    return sum(abs(r - colour[0]) + abs(g - colour[1]) + abs(b - colour[2]) < tolerance
               for r, g, b in zip(rgb[0::3], rgb[1::3], rgb[2::3]))


def look(c, more=""):
    return c.snapshot(SIZE + "&compression=0" + more)


def test_C1_snapshots_and_changes_show_no_uncovered_picture(t):
    c = camera(t)
    decal(c, HOUSE)
    c.advance(1)
    assert purple(look(c)) > 3000, "the decal is to be seen"
    # nothing that was taken before the answer leaves after it: time stands still all the while
    assert ask(c, action="add", name="house", polygon=polygon(HOUSE)) is None
    assert purple(look(c)) == 0
    assert ask(c, action="disable_all") is None
    assert purple(look(c)) > 3000
    assert ask(c, action="enable_all") is None
    assert purple(look(c)) == 0
    assert ask(c, action="remove", name="house") is None
    assert purple(look(c)) > 3000
    assert ask(c, action="add", name="house", polygon=polygon(HOUSE)) is None
    assert purple(look(c)) == 0
    for turned in ("&rotation=180", "&mirror=1", "&rotation=90"):
        assert purple(look(c, turned)) == 0, turned
    c.update("ImageSource.I0.SourceRotation", "180")
    c.advance(1)
    assert purple(look(c)) == 0
    c.update("ImageSource.I0.SourceRotation", "0")
    # colours: one for all
    for value, rgb in (("white", (255, 255, 255)), ("grey", (128, 128, 128))):
        c.update(GROUP + ".Color", value)
        assert covered(look(c), rgb) > 10000, value
        assert purple(look(c)) == 0
    c.update(GROUP + ".CustomColor", "#20c040")
    c.update(GROUP + ".Color", "custom")
    assert covered(look(c), (0x20, 0xc0, 0x40), 40) > 10000
    # fast moves, zoom, the stabiliser in a shaken mount
    c.update("ImageSource.I0.Sensor.Stabilizer", "on")
    stage(c, shake=0.2)
    with c.ticking(0.1):
        film = Film(c, SIZE + "&compression=0")
    for i in range(10):
        c.ptz_command(f"pan={(-30, 20)[i % 2]}&tilt={-6 + i % 3 * 5}"
                      f"&zoom={(1, 900)[i % 3 == 0]}&speed=100")
        c.advance(0.1)
        assert purple(look(c)) == 0, i
        assert all(purple(j) == 0 for j in film.run(2, 10)), i


def test_C1_streams_show_nothing_and_keep_no_old_picture(t):
    c = camera(t)
    decal(c, HOUSE)
    c.advance(1)
    viewer = c.rtsp_client(f"/axis-media/media.amp?videocodec=h264&{SIZE}&compression=10")
    viewer.start()
    units, before = [], 0
    for i in range(24):
        if i == 6:
            assert ask(c, action="add", name="house", polygon=polygon(HOUSE)) is None
            before = len(units)
            c.ptz_command("continuouspantiltmove=70,0")
            # who joins now gets nothing of what was kept for him
            late = c.rtsp_client(f"/axis-media/media.amp?videocodec=h264&{SIZE}&compression=10")
            with c.ticking(0.1):
                late.start()
        if i == 14:
            c.ptz_command("continuouspantiltmove=-90,10")
        c.advance(0.1)
        while viewer.conn.readable(0.3 if len(units) <= i else 0.02):
            units.append(b"".join(b"\0\0\0\1" + n for n in viewer.unit()[1]))
    first = b"".join(b"\0\0\0\1" + n for n in late.unit()[1])
    assert decoded(first) == [0]
    assert before > 2 and len(units) - before > 10
    shown = decoded(b"".join(units))
    old, new = shown[:before], shown[before:]
    assert max(old) > 3000, "before the mask it was to be seen"
    assert max(new) == 0, new


CODED = ("h264", "h265", "av1")


def film_each(c, pictures, between):
    """{codec: RGB of its pictures}, all coded from the same ones; between(i) comes before each."""
    clients = {}
    for codec in CODED:
        target = (f"/axis-cgi/media.cgi?container=mp4&videocodec={codec}&resolution=320x180&compression=20"
                  f"&nbrofframes={pictures}")
        client = clients[codec] = c.client(*vedette.ADMIN)
        client.get("/axis-cgi/usergroup.cgi")
        client.send("GET", target, headers=client.authorization("GET", target))
    for i in range(pictures):
        between(i)
        c.advance(0.1)
    found = {}
    for codec, client in clients.items():
        with c.ticking(0.1):  # those that began later
            found[codec] = pictures_of(c.answer(client).body, "mp4", 320, 180)
        assert len(found[codec]) >= pictures - 4, (codec, len(found[codec]))
    return found


def unrest(rgb, like, width=320, height=180):
    """How far luma varies within runs of a row that are one colour in `like`, at worst and on
    average; their rims left out."""
    def luma(p, i):
        return (p[3 * i] * 54 + p[3 * i + 1] * 183 + p[3 * i + 2] * 19) >> 8

    spans = []
    for y in range(height * 2 // 5, height * 3 // 5, 3):
        start = width * 2 // 5
        for x in range(start + 1, width * 3 // 5):
            here = y * width + x
            if abs(luma(like, here) - luma(like, here - 1)) > 3 or x == width * 3 // 5 - 1:
                if x - start >= 14:
                    run = [luma(rgb, y * width + i) for i in range(start + 5, x - 5)]
                    spans.append(max(run) - min(run))
                start = x
    assert len(spans) >= 10, len(spans)
    return max(spans), sum(spans) / len(spans)


def test_C1_no_codec_shows_what_is_beneath(t):
    """Solid: within PURPLE, what chroma of coded pictures may bleed. Mosaic: one colour in each block."""
    c = camera(t)
    decal(c, HOUSE)
    bare = film_each(c, 4, lambda i: None)
    for codec, shown in bare.items():
        assert count(shown[-1]) > 700, codec
    assert ask(c, action="add", name="house", polygon=polygon(HOUSE)) is None
    moves = ("continuouspantiltmove=90,0", "continuouspantiltmove=-100,20", "pan=-5&tilt=0&zoom=900&speed=100",
             "continuouspantiltmove=60,-30", "pan=-5&tilt=0&zoom=1&speed=100", "continuouspantiltmove=-100,0")

    def move(i):
        if i % 4 == 0:
            c.ptz_command(moves[i // 4 % len(moves)])

    for codec, shown in film_each(c, 24, move).items():
        assert max(count(p) for p in shown) == 0, (codec, [count(p) for p in shown])
    # mosaic, over the whole picture
    c.ptz_command("pan=0&tilt=0&zoom=1&speed=100")
    c.rest()
    decal(c, [])
    assert ask(c, action="update", name="house", polygon="-28,14:28,14:28,-15:-28,-15") is None
    c.update(GROUP + ".Color", "mosaic")
    c.update(GROUP + ".MosaicScale", "6")
    c.advance(0.5)
    _, _, like = pictures.rgb(c.snapshot("resolution=320x180&compression=0"))
    for codec, shown in film_each(c, 12, lambda i: None).items():
        worst, mean = unrest(shown[-1], like)
        print(f"    {codec}: luma within a block varies by {worst} at worst, {mean:.1f} on average", flush=True)
        # people walk beneath: blocks that were alike may differ a little later
        assert worst <= 8 and mean <= 4, (codec, worst, mean)
        assert unrest(bare[codec][-1], like)[1] > 10, "the bare picture is anything but quiet"


def test_C1_hls_keeps_no_segment_from_before(t):
    """What was cut before a change cannot be had any more; players go on with the same playlist."""
    c = camera(t)
    decal(c, HOUSE)
    c.advance(0.5)
    media = "/hls/" + test_hls.ask(c, "/hls/live.m3u8?resolution=320x180").text.split()[-1]
    base = media.rpartition("/")[0] + "/"
    init = test_hls.ask(c, base + "init.mp4").body

    def segments(text):
        return [int(n) for n in re.findall(r"#EXTINF:[\d.]+,\ns(\d+)\.m4s", text)]

    def shown(number):
        return decoded(init + test_hls.ask(c, f"{base}s{number}.m4s").body, "mp4", 320, 180)

    text = test_hls.ask(c, media + "?_HLS_msn=1").text
    old = segments(text)
    assert max(shown(old[0])) > 700, "before the mask it was to be seen"
    hint = re.search(r'PRELOAD-HINT:TYPE=PART,URI="(.*?)"', text).group(1)
    pieces = [f"s{n}.m4s" for n in old] + re.findall(r'URI="(s[\d.]+m4s)"', text)
    assert ask(c, action="add", name="house", polygon=polygon(HOUSE)) is None
    for piece in pieces + [hint]:
        assert c.admin.get(base + piece).status == 404, piece
    text = test_hls.ask(c, f"{media}?_HLS_msn={old[-1] + 3}").text
    new = segments(text)
    assert new and new[0] > old[-1] and "#EXT-X-MEDIA-SEQUENCE:%d\n" % new[0] in text, text
    assert all(max(shown(n)) == 0 for n in new), new


def pictures_of(data, form, width=640, height=360):
    """The coded pictures as RGB."""
    p = subprocess.run(["ffmpeg", "-v", "error", "-f", form, "-i", "-", "-f", "rawvideo", "-vsync", "0",
                        "-pix_fmt", "rgb24", "-"], input=data, capture_output=True, timeout=60)
    n = width * height * 3
    return [p.stdout[i:i + n] for i in range(0, len(p.stdout) - n + 1, n)]


def decoded(data, form="h264", width=640, height=360):
    """How many pixels of each picture show the decal."""
    return [count(rgb) for rgb in pictures_of(data, form, width, height)]


def count(rgb):
    return sum(min(r, b) - g > PURPLE for r, g, b in zip(rgb[0::3], rgb[1::3], rgb[2::3]))


def test_C1_only_administrators_change_masks_and_it_is_told(t):
    c = camera(t)
    assert ask(c, action="add", name="house", polygon=polygon(HOUSE)) is None
    for user in (c.operator, c.viewer):
        assert user.post(CGI, "action=disable_all").status == 403
        assert user.get(CGI + "?query=list").status == 403
        for name, value in ((".Enabled", "no"), (".M0.Enabled", "no"),
                            (".M0.Polygon", "0,0:1,0:1,1")):
            answer = c.update(GROUP + name, value, user).text
            assert answer.startswith("# Error"), answer
        answer = user.post("/axis-cgi/param.cgi", f"action=remove&group={GROUP}.M0").text
        assert answer.startswith("# Request failed"), answer
    decal(c, HOUSE)
    c.advance(0.2)
    assert purple(look(c)) == 0
    c.update(GROUP + ".M0.Enabled", "no")
    assert "audit: root from 127.0.0.1: " + GROUP + ".M0.Enabled=no" in c.log
    assert "privacymask.cgi add house" in c.log


def test_C1_list_update_goto_zoom_and_restart(t):
    c = camera(t)
    assert ask(c, action="add", name="a", pxpolygon="100,100:300,100:300,250") is None
    assert ask(c, action="add", name="b", width="20", height="10", center="320,180",
               zoomlowlimit="2000") is None
    masks = masks_of(c)
    assert [m["name"] for m in masks] == ["a", "b"]
    # what lies outside of the picture has no pixel; a rectangle may reach beyond its edge
    for shape in ({"pxpolygon": "-5,0:100,100:0,100"}, {"pxpolygon": "0,0:641,100:0,100"},
                  {"pxpolygon": "0,0:100,100:0,1e9"}, {"pxpolygon": "nan,0:100,100:0,100"},
                  {"width": "10", "height": "10", "center": "320,361"},
                  {"width": "nan", "height": "10"}, {"width": "10", "height": "10", "center": "nan,1"},
                  {"polygon": "nan,0:10,0:0,10"}, {"polygon": "0,0:10,10:0,10:10,0"},
                  {"polygon": "0,91:10,0:0,10"}, {"polygon": "1e309,0:10,0:0,10"}):
        assert ask(c, action="add", name="bad", **shape), shape
    assert ask(c, action="add", name="edge", width="10", height="10", center="640,0") is None
    assert ask(c, action="remove", name="edge") is None
    assert [m["name"] for m in masks_of(c)] == ["a", "b"]
    assert masks[0]["position"] == [{"x": 100, "y": 100}, {"x": 300, "y": 100}, {"x": 300, "y": 250}]
    assert masks[0]["zoom_visible"] and not masks[1]["zoom_visible"]
    one = c.admin.get(CGI + "?query=positionpxjson&name=b").json["position"]
    assert one[0] == {"x": 256, "y": 162} and len(one) == 4
    assert c.admin.get(CGI + "?query=list").text == "a\nb\n"
    # from its zoom on
    decal(c, [tuple(map(float, p.split(","))) for p in masks[1]["polygon"].split(":")])
    c.advance(0.5)
    assert purple(look(c)) > 500
    assert ask(c, action="goto", name="b") is None
    c.advance(6)
    assert purple(look(c)) == 0 and covered(look(c)) > 8000
    # changed, renamed, taken away; and so it is after a restart
    assert ask(c, action="update", name="b", zoomlowlimit="0", newname="c") is None
    assert ask(c, action="remove", name="a") is None
    seen = masks_of(c)
    assert [m["name"] for m in seen] == ["c"]
    c.restart()
    masks = masks_of(c)
    assert [(m["name"], m["zoomlowlimit"]) for m in masks] == [("c", 0)]
    decal(c, [tuple(map(float, p.split(","))) for p in masks[0]["polygon"].split(":")])
    c.advance(0.5)
    assert purple(look(c)) == 0


def test_C1_mosaic_hides_and_truth_tells_what_is_masked(t):
    c = camera(t)
    whole = [(-25, 12), (25, 12), (25, -14), (-25, -14)]
    c.advance(1)
    look(c)
    before = c.truth()
    assert before["masks"] == [] and all(o["masked"] == 0 for o in before["objects"])
    assert ask(c, action="add", name="all", polygon=polygon(whole)) is None
    c.update(GROUP + ".Color", "mosaic")
    c.update(GROUP + ".MosaicScale", "5")
    c.advance(0.5)
    w, h, rgb = pictures.rgb(look(c))
    middle = [rgb[3 * (y * w + x):3 * (y * w + x) + 3] for y in range(120, 240, 2)
              for x in range(200, 440, 2)]
    coarse = {tuple(v // 8 for v in p) for p in middle}
    assert len(coarse) < 40, len(coarse)
    truth = c.truth()
    assert truth["masks"][0]["mask"] == 0 and len(truth["masks"][0]["polygon"]) >= 4
    shares = [o["masked"] for o in truth["objects"]]
    assert shares and max(shares) > 0.95, shares


def test_C1_bad_masks_are_refused_and_nothing_is_lost(t):
    c = camera(t)
    assert ask(c, action="add", name="good", polygon=polygon(HOUSE)) is None
    bad = ["0,0:10,10:10,0:0,10", "0,0:1,0", "0,0:nan,0:1,1", "0,0:1,0:1,91", "190,0:1,0:1,1",
           "0,0:1,0:2,0:3,0:4,0:5,1:4,1:3,1:2,1:1,1:0,1", "0,0:120,0:-120,0", "x", "1e9,1:2,2:3,3"]
    for text in bad:
        said = ask(c, action="add", name="bad", polygon=text)
        assert said and said.startswith("Error: "), text
        assert c.update(GROUP + ".M0.Polygon", text).text.startswith("# Error"), text
    assert ask(c, action="add", name="n" * 300, polygon=polygon(HOUSE)).startswith("Error: ")
    assert ask(c, action="add", name="good", polygon=polygon(HOUSE)).startswith("Error: ")
    assert ask(c, action="dance", name="good").startswith("Error: ")
    assert ask(c, action="remove", name="nobody").startswith("Error: ")
    assert ask(c, action="add", name="far", imagesource="3", polygon=polygon(HOUSE)).startswith("Error")
    for i in range(63):
        assert ask(c, action="add", name=f"m{i}", polygon=f"{i},0:{i + 1},0:{i},1") is None
    assert ask(c, action="add", name="one more", polygon=polygon(HOUSE)).startswith("Error: ")
    masks = masks_of(c)
    assert len(masks) == 64 and masks[0]["name"] == "good"
    assert look(c)
