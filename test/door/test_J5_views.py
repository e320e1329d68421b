"""View areas (row J5): channels cut from the picture, each with its own streams, PTZ, names and
overlays. Judged by the picture that they are cut from, and by the world's truth."""
import json
import re

import pictures
import test_C_overlays as overlays
import vedette
from test_C1_masks import HOUSE, ask as masks, decal, purple
from test_C_overlays import DYNAMIC, code as overlay_code, call as overlay_call
from test_D3_presets import told

INFO, CONFIGURE = "/axis-cgi/viewarea/info.cgi", "/axis-cgi/viewarea/configure.cgi"
SIZE = "resolution=640x360"


def camera(t, **more):
    c = t.camera(clock="sim", source="virtual:640x360@10", **more)
    c.setup(users=True)
    for name in ("Image.I0.Text.ClockEnabled", "Image.I0.Text.DateEnabled"):
        c.update(name, "no")
    c.update("Image.I1.Enabled", "yes")
    c.rest()
    return c


def call(c, cgi, method, client=None, **params):
    r = (client or c.admin).post(cgi, json.dumps({"apiVersion": "1.0", "method": method,
                                                  "context": "c", "params": params}))
    return r.json if r.status == 200 else {"error": {"code": f"HTTP {r.status}"}}


def place(c, x, y, w, h, channel=2):
    """Where the area is, in pixels of 640 by 360."""
    r = call(c, CONFIGURE, "setGeometry", viewArea={"id": 1000000 + channel, "rectangularGeometry": {
        "horizontalOffset": x, "horizontalSize": w, "verticalOffset": y, "verticalSize": h}})
    assert "data" in r, r
    return r["data"]["viewAreas"]


def apart(a, b):
    """Mean difference of two pictures of grey levels."""
    assert len(a) == len(b), (len(a), len(b))
    return sum(abs(x - y) for x, y in zip(a, b)) / len(a)


def same(t, a, b, most):
    t.check(apart(a, b) < most, "mean difference", apart(a, b))


def cut(whole, x, y, w, h):
    width, _, luma = whole
    return b"".join(bytes(luma[(y + i) * width + x:(y + i) * width + x + w]) for i in range(h))


def look(c, more=""):
    return c.snapshot("compression=0&" + more)


def luma(c, more=""):
    return pictures.gray(look(c, more))


def test_J5_areas_are_listed_placed_and_named(t):
    c = camera(t)
    for user in (c.admin, c.viewer):
        areas = call(c, INFO, "list", user)["data"]["viewAreas"]
        t.equal([(a["id"], a["camera"], a["source"], a["configurable"]) for a in areas],
                [(1000001, 1, 0, False), (1000002, 2, 0, True)])
        t.equal(areas[1]["rectangularGeometry"], {"horizontalOffset": 160, "horizontalSize": 320,
                                                  "verticalOffset": 90, "verticalSize": 180})
        t.equal(areas[1]["canvasSize"], {"horizontal": 640, "vertical": 360})
    t.equal(place(c, 20, 31, 200, 101)[1]["rectangularGeometry"],
            {"horizontalOffset": 20, "horizontalSize": 200, "verticalOffset": 32,
             "verticalSize": 100}, "on the grid")
    for area, error in (({"id": 1000003, "rectangularGeometry": {}}, 200),
                        ({"id": "x"}, 200), ({}, 102), (None, 102), ({"id": 1000002}, 202),
                        ({"id": 1000001, "rectangularGeometry": {}}, 201),
                        ({"id": 1000002, "rectangularGeometry": {}}, 202),
                        ({"id": 1 << 62}, 200)):
        t.equal(call(c, CONFIGURE, "setGeometry", viewArea=area)["error"]["code"], error, area)
    for x, y, w, h in ((-2, 0, 200, 100), (500, 0, 200, 100), (0, 300, 200, 100), (0, 0, 10, 100),
                       (0, 0, 200, 10), (0, 0, 642, 360), (1 << 40, 0, 1 << 40, 2)):
        r = call(c, CONFIGURE, "setGeometry", viewArea={"id": 1000002, "rectangularGeometry": {
            "horizontalOffset": x, "horizontalSize": w, "verticalOffset": y, "verticalSize": h}})
        t.equal(r["error"]["code"], 202, (x, y, w, h))
    for user, status in ((c.viewer, 403), (c.operator, 403), (c.anon, 401)):
        t.equal(call(c, CONFIGURE, "resetGeometry", user, viewArea={"id": 1000002})["error"]["code"],
                f"HTTP {status}")
    areas = call(c, CONFIGURE, "resetGeometry", viewArea={"id": 1000002})["data"]["viewAreas"]
    t.equal(areas[1]["rectangularGeometry"]["horizontalOffset"], 160)
    t.equal(call(c, INFO, "nothing")["error"]["code"], 103)
    t.equal(c.param("Image.I8.Name"), "View Area 9")
    c.update("Image.I1.Name", "Gate")
    place(c, 20, 32, 200, 100)
    c.restart()
    c.advance(0.2)
    t.equal((c.param("Image.I1.Name"), c.param("Image.I1.Enabled")), ("Gate", "yes"))
    areas = call(c, INFO, "list")["data"]["viewAreas"]
    t.equal(areas[1]["rectangularGeometry"]["horizontalSize"], 200, "after a restart")


def test_J5_each_channel_has_its_own_pictures_through_every_door(t):
    c = camera(t)
    place(c, 320, 180, 320, 180)
    whole = luma(c, SIZE)
    same(t, luma(c, "camera=2&resolution=320x180")[2], cut(whole, 320, 180, 320, 180), 3)
    t.check(apart(luma(c, "camera=1&resolution=320x180")[2], cut(whole, 320, 180, 320, 180)) > 10)
    # its own shape and settings: those of I1, not of I0
    c.update("Image.I1.Appearance.Resolution", "320x180")
    place(c, 0, 0, 180, 180)
    t.equal(pictures.jpeg_size(look(c, "camera=2")), (180, 180))
    r = c.admin.get("/axis-cgi/imagesize.cgi?camera=2")
    t.match("width = 180", r.text)
    place(c, 320, 180, 320, 180)
    t.equal(pictures.jpeg_size(look(c, "camera=2")), (320, 180))
    t.equal(pictures.jpeg_size(look(c)), (640, 360))
    turned = pictures.gray(look(c, "camera=2&rotation=90"))
    t.equal(turned[:2], (180, 320))
    # the stage's truth of the channel: what stands in it stands in its picture
    boxes = [(o["viewBox"], o["box"]) for o in c.truth(camera=2)["objects"] if o["viewBox"]]
    t.check(boxes, "somebody is in the area")
    for view, box in boxes:
        t.check(abs(view[0] - max(0, (box[0] - 0.5) * 2)) < 1e-6, view, box)
    # streams
    s = c.rtsp_client(f"/axis-media/media.amp?camera=2&videocodec=h264&compression=5")
    with c.ticking():
        s.start()
        s.unit()
        viewer = [v for v in call(c, "/axis-cgi/streamstatus.cgi", "getAllStreams")["data"]["streams"]
                  if v["path"].endswith("media.amp")][0]
        t.equal((viewer["channel"], viewer["actual"]["width"]), (2, 320))
        r = c.admin.get("/hls/live.m3u8?camera=2")
        t.equal(r.status, 200)
        t.match("RESOLUTION=320x180", r.text)
    # what is not there
    for path, status in (("/axis-cgi/jpg/image.cgi", 404), ("/axis-cgi/mjpg/video.cgi", 404),
                         ("/axis-cgi/media.cgi", 404), ("/hls/live.m3u8", 404),
                         ("/axis-cgi/imagesize.cgi", 404)):
        r = c.admin.get(path + "?camera=3")
        t.equal(r.status, status, path)
        t.match("camera=3", r.text)
        t.equal(c.admin.get(path + "?camera=x").status, 400, path)
    t.equal(c.rtsp_client("/axis-media/media.amp?camera=3").describe().status, 404)
    t.equal(c.rtsp_client("/axis-media/media.amp?camera=0").describe().status, 400)
    c.update("Image.I1.Enabled", "no")
    t.equal(c.admin.get("/axis-cgi/jpg/image.cgi?camera=2").status, 404)


def test_J5_streams_of_an_area_end_with_it(t):
    """Switched off: whoever watches is told, by every way; other channels go on. Switched on again:
    streams begin anew."""
    c = camera(t)
    tcp = c.rtsp_client("/axis-media/media.amp?camera=2&videocodec=h264&" + SIZE)
    udp = c.rtsp_client("/axis-media/media.amp?camera=2&videocodec=h265&" + SIZE)
    whole = c.rtsp_client("/axis-media/media.amp?videocodec=h264&" + SIZE)
    described = c.rtsp_client("/axis-media/media.amp?camera=2&videocodec=h264&resolution=320x180")
    http = []
    with c.ticking():
        for s in (tcp, whole):
            s.start()
            s.unit()
        for r in (udp.describe(), udp.setup_udp(), udp.play(), described.describe()):
            t.equal(r.status, 200)
        udp.rtp.recv(65536)
        for target in ("/axis-cgi/mjpg/video.cgi?camera=2", "/axis-cgi/media.cgi?camera=2"):
            client = c.client(*vedette.ADMIN)
            client.get("/axis-cgi/usergroup.cgi")
            client.send("GET", target, headers=client.authorization("GET", target))
            t.equal(client.conn.head().status, 200, target)
            http.append(client)
        media = "/hls/" + re.search(r"^(?!#)(\S+)$", c.admin.get(
            "/hls/live.m3u8?camera=2&" + SIZE).text, re.M).group(1)
        t.equal(c.admin.get(media).status, 200)
        c.update("Image.I1.Enabled", "no")
        for client in http:
            t.check(client.conn.closed_within(30), "a body ends")
        t.check(tcp.conn.closed_within(30), "RTSP over its connection ends")
        t.check(udp.conn.closed_within(30), "RTSP over UDP is told")
        t.equal(described.setup().status, 404, "what was only described")
        for _ in range(12):
            whole.unit()
        t.equal(c.admin.get(media).status, 404)
        streams = call(c, "/axis-cgi/streamstatus.cgi", "getAllStreams")["data"]["streams"]
        t.equal([s["channel"] for s in streams], [1])
        c.update("Image.I1.Enabled", "yes")
        anew = c.rtsp_client("/axis-media/media.amp?camera=2&videocodec=h264&" + SIZE)
        anew.start()
        anew.unit()
        whole.unit()


def answers(r):
    return dict(line.split("=", 1) for line in r.text.split())


def test_J5_digital_ptz_moves_within_the_area(t):
    c = camera(t)
    place(c, 320, 180, 320, 180)
    ptz = lambda args, who=None: (who or c.admin).get("/axis-cgi/com/ptz.cgi?camera=2&" + args)
    at = lambda: {k: float(v) for k, v in answers(ptz("query=position")).items()}
    before = c.position()
    whole = luma(c, SIZE)
    t.equal(at(), {"pan": 0, "tilt": 0, "zoom": 1})
    t.equal(set(answers(ptz("query=limits"))) >= {"MinPan", "MaxPan", "MinZoom", "MaxZoom"}, True)
    t.match("presetposno1=Home", ptz("query=presetposcam").text)
    # in to the lower right quarter of the area: zoom 2, of 8
    t.equal(ptz(f"zoom={1 + 9998 / 7}&speed=100").status, 204)
    c.advance(3)
    t.equal(ptz("pan=90&tilt=-90").status, 204)
    c.advance(3)
    t.equal(c.position(), before, "the camera itself stands")
    small = luma(c, "camera=2&resolution=160x90")[2]
    same(t, small, cut(luma(c, SIZE), 480, 270, 160, 90), 8)
    # a click: what is there comes to the middle; then home
    t.equal(ptz("move=home").status, 204)
    c.advance(3)
    t.equal(at(), {"pan": 0, "tilt": 0, "zoom": 1})
    t.equal(ptz("areazoom=80,45,200&imagewidth=320&imageheight=180").status, 204)
    c.advance(3)
    now = at()  # the head's angles: 60 degrees are the area's width
    t.check(abs(now["pan"] + 16.1) < 0.2 and abs(now["zoom"] - 1429) < 3 and now["tilt"] > 8, now)
    t.equal(ptz("gotoserverpresetname=Home").status, 204)
    c.advance(3)
    t.equal(at()["zoom"], 1)
    t.equal(ptz("continuouszoommove=100").status, 204)
    c.advance(0.5)
    t.equal(ptz("continuouszoommove=0").status, 204)
    t.check(1 < at()["zoom"] < 9999)
    for args in ("autofocus=on", "focus=5", "gotoserverpresetno=2", "setserverpresetno=33",
                 "setserverpresetname=Gate&imagesettings=yes", "gotoserverpresetname=Gate", "zoom=x"):
        t.match("Error:", ptz(args).text)
    t.equal(ptz("zoom=1", c.viewer).status, 403)
    # one queue for all: who holds it elsewhere holds it here
    c.update("PTZ.Various.V1.CtlQueueing", "true")
    t.equal(c.admin.get("/axis-cgi/com/ptz.cgi?move=stop").status, 204)
    t.match("Error:", ptz("zoom=1", c.ptz).text)
    c.update("PTZ.Various.V1.CtlQueueing", "false")
    c.update("PTZ.ImageSource.I1.PTZEnabled", "false")
    t.equal(ptz("zoom=100").text, "", "a channel without")
    c.advance(0.2)
    same(t, luma(c, "camera=2&resolution=320x180")[2], cut(luma(c, SIZE), 320, 180, 320, 180), 6)


def test_J5_an_area_has_presets_of_its_own(t):
    """Stored, gone to, listed, told of by events, kept over a restart; the camera's are others."""
    c = camera(t)
    ws = c.websocket("/vedette/ws")
    moves, stands = (f"PTZController/{k}/Channel_2" for k in ("Move", "PTZPresets"))

    def ptz(args, client=None, cgi="ptz"):
        return (client or c.admin).get(f"/axis-cgi/com/{cgi}.cgi?camera=2&" + args)

    def at():
        return {k: float(v) for k, v in answers(ptz("query=position")).items()}

    t.match("presetposno1=Home", ptz("query=presetposcam").text)
    t.equal(ptz("zoom=3000&speed=100").status, 204)
    c.advance(2)
    t.equal(ptz("pan=12&tilt=-6").status, 204)
    c.advance(2)
    there = at()
    t.equal(ptz("setserverpresetname=Gate").status, 204)
    t.match("presetposno2=Gate", ptz("query=presetposcam").text)
    t.check("Gate" not in c.admin.get("/axis-cgi/com/ptz.cgi?query=presetposall").text, "not the camera's")
    t.match(r"^pan=12\.0+:tilt=-6\.0+:zoom=", c.param("PTZ.Preset.P1.Position.P2.Data"))
    t.equal(ptz("move=home").status, 204)
    c.advance(3)
    t.equal(at()["zoom"], 1)
    t.equal(ptz("gotoserverpresetname=Gate", c.ptz).status, 204)
    c.advance(3)
    for k, v in there.items():
        t.near(at()[k], v, 1, k)
    t.equal(told(ws, moves, "1"), {"PTZConfigurationToken": "2"})
    for on, preset in (("1", "1"), ("0", "1"), ("1", "2")):
        t.equal(told(ws, stands, on), {"PresetToken": preset})
    # who may not change them, and what cannot be
    t.match("Error:", ptz("setserverpresetname=Mine", c.ptz).text)
    t.equal(ptz("setserverpresetname=Mine", c.operator, "ptzconfig").status, 403)
    for args in ("setserverpresetname=a:b", "renameserverpresetno=7&newname=x"):
        t.match("Error:", ptz(args, cgi="ptzconfig").text, args)
    for k in range(3, 33):
        t.equal(ptz(f"setserverpresetname=N{k}", cgi="ptzconfig").status, 204)
    t.match("32 presets already", ptz("setserverpresetname=More", cgi="ptzconfig").text)
    t.equal(ptz("renameserverpresetno=2&newname=Door", cgi="ptzconfig").status, 204)
    t.equal(ptz("removeserverpresetno=1", cgi="ptzconfig").status, 204)
    t.match("presetposno1=Home", ptz("query=presetposcam").text, "there is always a home")
    c.restart()
    c.advance(0.2)
    t.match("presetposno2=Door", ptz("query=presetposcam").text)
    t.equal(ptz("removeallserverpresets=yes", cgi="ptzconfig").status, 204)
    t.equal(re.findall(r"presetposno\d+", ptz("query=presetposcam").text), ["presetposno1"])


def text_rows(c, more):
    """Rows with pixels of the overlays' pure green."""
    w, h, rgb = pictures.rgb(look(c, more))
    return sum(g > 180 and r < 90 and b < 90
               for r, g, b in zip(rgb[0::3], rgb[1::3], rgb[2::3]))


def test_J5_overlays_are_on_their_channel(t):
    c = camera(t)
    one, both = "camera=1&" + SIZE, "camera=2&" + SIZE
    bar = dict(text="WWWWW", textColor="#00ff00", textOLColor="transparent", fontSize=120)
    i = overlay_call(t, c, "addText", camera=2, position="center", **bar)["identity"]
    c.advance(0.2)
    t.equal(text_rows(c, one), 0)
    t.check(text_rows(c, both) > 200)
    overlay_call(t, c, "setText", identity=i, camera=1)
    c.advance(0.2)
    t.equal(text_rows(c, both), 0)
    t.check(text_rows(c, one) > 200)
    overlay_call(t, c, "setText", identity=i, camera=0)
    c.advance(0.2)
    t.check(text_rows(c, both) > 200 and text_rows(c, one) > 200, "on all")
    for method, more in (("addText", {"text": "x"}), ("setText", {"identity": i}), ("list", {})):
        t.equal(overlay_code(c, method, camera=3, **more), 301, method)
    t.equal(c.admin.get("/axis-cgi/dynamicoverlay.cgi?action=settext&text=x&camera=3").status, 404)
    # tied to the scene: on the same point in both, where both show it
    overlay_call(t, c, "setText", identity=i, reference="scene", ptPosition=[0, 0], fontSize=40)
    pose = c.position()
    c.ptz_command("pan=0&tilt=0")
    c.rest()
    t.check(text_rows(c, both) > 20 and text_rows(c, one) > 20, pose)
    place(c, 0, 0, 160, 90)
    c.advance(0.2)
    t.equal(text_rows(c, both), 0, "it is not in the area")


def test_J5_a_channel_has_its_own_line_and_old_picture(t):
    """Date and text of one channel are on that channel alone, and can be read there."""
    c = camera(t)
    c.ptz_command("tilt=20&zoom=9000")  # the sky
    c.rest()
    both = {1: "camera=1&" + SIZE, 2: "camera=2&" + SIZE}

    def says(channel):
        s = overlays.Shot(c, (640, 360), f"&camera={channel}")
        return s.read((0, 0, 640, 30), bright=True)
    quiet = {n: luma(c, more)[2] for n, more in both.items()}
    t.equal(c.param("Image.I1.Text.DateEnabled"), "no", "an area says nothing until it is told to")
    for name, value in (("String", "GATE NORTH"), ("TextEnabled", "yes"), ("TextSize", "large")):
        t.equal(c.update("Image.I1.Text." + name, value).text.strip(), "OK")
    c.advance(0.2)
    t.check("GATE NORTH" in says(2), says(2))
    same(t, luma(c, both[1])[2], quiet[1], 1)
    c.update("Image.I0.Text.String", "WHOLE")
    c.update("Image.I0.Text.TextEnabled", "yes")
    c.update("Image.I0.Text.TextSize", "large")
    c.update("Image.I1.Text.DateEnabled", "yes")
    c.advance(0.2)
    t.check("WHOLE" in says(1) and "GATE" not in says(1), says(1))
    t.check(re.search(r"20\d\d-\d\d-\d\d.*GATE", says(2)), says(2))
    for name, value in (("String", "x" * 81), ("Color", "purple"), ("TextSize", "9")):
        t.check("Error" in c.update("Image.I1.Text." + name, value).text, name)
    same(t, luma(c, both[2] + "&overlays=off")[2], quiet[2], 1)


def test_J5_masks_hide_in_view_areas(t):
    c = camera(t)
    place(c, 160, 90, 320, 180)
    c.ptz_command("pan=-5&tilt=2&zoom=1")
    c.rest()
    decal(c, HOUSE)
    c.advance(0.2)
    t.check(purple(look(c, "camera=2&" + SIZE)) > 3000, "the decal is to be seen")
    t.equal(masks(c, action="add", name="house", polygon=":".join(f"{p},{q}" for p, q in HOUSE)), None)
    # while both move: the camera, and the view within the area
    for i in range(12):
        c.ptz_command(f"pan={(-25, 15)[i % 2]}&tilt={i % 3 * 3}&speed=100")
        c.admin.get(f"/axis-cgi/com/ptz.cgi?camera=2&zoom={(1, 4000)[i % 2]}&pan={(20, -20)[i % 3 == 0]}")
        c.advance(0.1)
        for args in ("camera=2&" + SIZE, "camera=2&resolution=320x180&rotation=90"):
            t.equal(purple(look(c, args)), 0, (i, args))


def test_J5_unwatched_areas_cost_nothing(t):
    """What is not asked for is neither cut nor coded, and two channels share what is developed."""
    c = camera(t)
    one = c.rtsp_client("/axis-media/media.amp?videocodec=h264&" + SIZE)
    with c.ticking():
        one.start()
        one.unit()
    threads = c.threads()
    for i in range(2, 9):
        c.update(f"Image.I{i}.Enabled", "yes")
    c.advance(1)
    t.equal(c.threads(), threads)
    two = c.rtsp_client("/axis-media/media.amp?camera=2&videocodec=h264&" + SIZE)
    with c.ticking():
        two.start()
        two.unit()
    t.equal(c.threads() - threads, 2, "a rendition and an encoder")
