"""Sound over HTTP and the way back (row E8): receive.cgi, transmit.cgi, the back channel of RTSP,
one talker at a time, duplex modes, gain and inputs."""
import json
import re
import socket
import struct

import sound
import vedette
import web

SHARED = {"clock": "sim", "source": "virtual:street,320x180@30"}
RECEIVE, TRANSMIT = "/axis-cgi/audio/receive.cgi", "/axis-cgi/audio/transmit.cgi"
BACK = "www.onvif.org/ver20/backchannel"


def reset(c):
    for name, value in (("Audio.DuplexMode", "full"), ("AudioSource.A0.AudioSupport", "yes"),
                        ("AudioSource.A0.InputType", "mic"), ("AudioSource.A0.InputGain", "0"),
                        ("AudioSource.A0.InputMute", "no"), ("AudioSource.A0.OutputGain", "0"),
                        ("Audio.MaxListeners", "20")):
        c.update(name, value)


def heard(c, seconds):
    """What the loudspeaker played in the last seconds."""
    r = c.admin.get(f"/vedette/stage/speaker?seconds={seconds}")
    assert r.status == 200 and r.get("content-type") == "audio/wav", r
    rate, samples = sound.read_wav(r.body)
    assert rate == 48000
    return samples


def say(c, body, kind, client=None, headers=()):
    client = client or c.client(*vedette.ADMIN)
    client.get("/axis-cgi/usergroup.cgi")  # so that it knows the challenge
    return client.post(TRANSMIT, body, type=kind, headers=headers)


def tone_bytes(hz=440, seconds=1.0, rate=8000):
    return bytes(sound.to_ulaw(s) for s in sound.tone(hz, seconds, rate))


def is_tone(t, samples, hz, what=""):
    t.check(sound.level(samples) > -25, what, sound.level(samples))
    t.check(sound.strength(samples, hz, 48000) > 0.8, what, sound.strength(samples, hz, 48000))


def test_E8_transmit(t):
    c = t.shared()
    for kind, body, hz in (("audio/basic", tone_bytes(440), 440),
                           ("audio/axis-mulaw-128", tone_bytes(523, rate=16000), 523),
                           ("audio/L16;rate=16000", b"".join(
                               struct.pack(">h", s) for s in sound.tone(660, 1, 16000)), 660)):
        r = say(c, body, kind)
        t.equal(r.status, 200, kind)
        c.advance(0.6)
        is_tone(t, heard(c, 0.3), hz, kind)
        c.advance(2)
        t.equal(sound.level(heard(c, 0.5)), -120, "it has ended")
    for kind in ("audio/mp3", "text/plain", "audio/G726-33", "audio/L16;rate=7000"):
        t.equal(say(c, b"x" * 1000, kind).status, 415, kind)
    t.equal(say(c, b"no adts" * 100, "audio/aac").status, 400)
    t.equal(say(c, b"no ogg" * 100, "audio/ogg").status, 400)
    t.equal(c.viewer.get(TRANSMIT).status, 405)
    t.equal(c.anon.post(TRANSMIT, b"x", type="audio/basic").status, 401)


class Talker:
    """Somebody who holds the loudspeaker by transmit.cgi: a body without an end."""

    def __init__(self, c, user="viewer"):
        self.client = c.client(*vedette.USERS[user][:2])
        self.client.get("/axis-cgi/usergroup.cgi")
        head = self.client.authorization("POST", TRANSMIT)
        self.client.conn.send(web.request_bytes("POST", TRANSMIT, headers=[
            *head, ("Content-Type", "audio/basic"), ("Content-Length", "9999999")]))

    def say(self, c, body):
        """Until the camera has taken it."""
        self.client.conn.send(body)
        for _ in range(200):
            if c.admin.get("/vedette/audio").json["output"]["talking"]:
                return
        raise AssertionError("nobody talks")


def test_E8_one_talker(t):
    c = t.shared()
    a = Talker(c)
    a.say(c, tone_bytes(seconds=0.4))
    state = c.admin.get("/vedette/audio").json["output"]
    t.equal((state["talking"], state["user"]), (True, "vera"))
    r = say(c, tone_bytes(), "audio/basic")
    t.equal(r.status, 503, r)
    c.advance(3)  # it said nothing for longer than ReceiverTimeout
    t.equal(c.admin.get("/vedette/audio").json["output"]["talking"], False)
    t.equal(a.client.conn.reply("POST").status, 408)
    t.equal(say(c, tone_bytes(), "audio/basic").status, 200)
    c.advance(3)


def test_E8_duplex(t):
    c = t.shared()
    try:
        c.update("Audio.DuplexMode", "get")
        t.equal(say(c, tone_bytes(), "audio/basic").status, 403)
        c.update("Audio.DuplexMode", "post")
        t.equal(c.viewer.get(RECEIVE).status, 403)
        c.update("Audio.DuplexMode", "half")
        c.update("AudioSource.A0.InputType", "line")
        c.admin.get("/vedette/audio")
        c.advance(0.2)
        t.check(c.admin.get("/vedette/audio").json["input"]["rms"] > -20)
        a = Talker(c)
        a.say(c, tone_bytes(seconds=1))
        c.advance(0.3)
        t.equal(c.admin.get("/vedette/audio").json["input"]["rms"], -100.0, "covered")
        a.client.close()
        c.advance(3)
        c.admin.get("/vedette/audio")
        c.advance(0.2)
        t.check(c.admin.get("/vedette/audio").json["input"]["rms"] > -20)
        c.update("AudioSource.A0.AudioSupport", "no")
        t.equal(c.viewer.get(RECEIVE).status, 403)
    finally:
        reset(c)


def listen(t, c, args="", seconds=0.6):
    """(Content-Type, bytes) of receive.cgi."""
    client = c.client(*vedette.USERS["viewer"][:2])
    client.get("/axis-cgi/usergroup.cgi")
    target = RECEIVE + args
    client.conn.send(web.request_bytes("GET", target, headers=client.authorization("GET", target)))
    while not client.conn.readable(0.02):
        c.advance(0.1)
    while b"\r\n\r\n" not in client.conn.buf:
        client.conn.fill()
    head, _, _ = client.conn.buf.partition(b"\r\n\r\n")
    client.conn.exactly(len(head) + 4)
    t.check(head.startswith(b"HTTP/1.0 200 OK\r\n"), head)
    c.advance(seconds)
    body = client.conn.buf
    client.conn.sock.settimeout(0.3)
    try:
        while more := client.conn.sock.recv(65536):
            body += more
    except TimeoutError:
        pass
    client.close()
    return re.search(rb"Content-Type: (.*)", head).group(1).strip().decode(), body


def test_E8_receive(t):
    c = t.shared()
    try:
        c.update("AudioSource.A0.InputType", "line")  # a tone of 1000 Hz
        kind, body = listen(t, c, "?audiocodec=g711")
        t.equal(kind, "audio/basic")
        samples = [sound.ULAW[b] for b in body]
        t.check(len(samples) > 3000, len(samples))
        t.check(sound.strength(samples[:3000], 1000, 8000) > 0.9)
        t.near(sound.level(samples[:3000]), -15, 1)
        kind, body = listen(t, c, "?audiocodec=lpcm&audiosamplerate=16000")
        t.equal(kind, "audio/L16;rate=16000;channels=1")
        samples = struct.unpack(f">{len(body) // 2}h", body[:len(body) // 2 * 2])
        t.check(sound.strength(samples[:6000], 1000, 16000) > 0.95)
        c.update("AudioSource.A0.InputGain", "-12")
        kind, body = listen(t, c, "?audiocodec=g711")
        t.near(sound.level([sound.ULAW[b] for b in body[400:3000]]), -27, 1.5, "gain")
        c.update("AudioSource.A0.InputMute", "yes")
        kind, body = listen(t, c, "?audiocodec=g711")
        t.check(sound.level([sound.ULAW[b] for b in body[400:]]) < -60, "mute")
        reset(c)
        for args, want in (("", "audio/mpeg4-generic"), ("?audiocodec=opus", "audio/opus"),
                           ("?audiocodec=g726", "audio/G726-32"),
                           ("?audiocodec=g711&audiosamplerate=16000", "audio/axis-mulaw-128")):
            kind, body = listen(t, c, args)
            t.equal(kind, want)
            t.check(len(body) > 500, args, len(body))
        kind, body = listen(t, c, "?audiocodec=g711&httptype=multipart")
        t.equal(kind, "multipart/x-mixed-replace; boundary=myboundary")
        t.check(body.startswith(b"--myboundary\r\nContent-Type: audio/basic\r\nContent-Length: 160\r\n"
                                b"\r\n"), body[:100])
        t.equal(c.viewer.get(RECEIVE + "?httptype=x").status, 400)
        t.equal(c.viewer.get(RECEIVE + "?audiocodec=mp3").status, 400)
        t.equal(c.anon.get(RECEIVE).status, 401)
        c.update("Audio.MaxListeners", "0")
        t.equal(c.viewer.get(RECEIVE).status, 503)
    finally:
        reset(c)


def back_client(t, c, transport, path="/axis-media/media.amp?resolution=320x180"):
    s = c.rtsp_client(path)
    r = s.call("DESCRIBE", headers=[("Accept", "application/sdp"), ("Require", BACK)])
    t.equal(r.status, 200, r)
    s.controls = re.findall(r"m=.*?a=control:(\S+)", r.text, re.S)
    media = ["m=" + m for m in r.text.split("\r\nm=")[1:]]
    t.check(media[-1].startswith("m=audio 0 RTP/AVP 0 8 ") and "a=sendonly\r\n" in media[-1],
            media[-1])
    t.check("a=rtpmap:0 PCMU/8000\r\n" in media[-1], media[-1])
    t.check("sendonly" not in media[0], media[0])
    r = s.setup(transport, s.controls[-1], headers=[("Require", BACK)])
    return s, r


def rtp(seq, payload, kind=0):
    return struct.pack(">BBHII", 0x80, kind, seq & 0xffff, seq * 160 & 0xffffffff, 0x1234) + payload


def test_E8_back_channel(t):
    """RTP of a client comes out of the loudspeaker, over TCP and UDP, out of order and with a
    packet missing; others wait for their turn."""
    c = t.shared()
    s = c.rtsp_client("/axis-media/media.amp?resolution=320x180")
    t.equal(s.describe().status, 200)
    t.check("sendonly" not in s.sdp, "only who asks is told")
    r = s.call("DESCRIBE", headers=[("Require", "something.else")])
    t.equal((r.status, r.get("unsupported")), (551, "something.else"))
    body = tone_bytes(440, 1)
    packets = [rtp(i + 65530, body[i * 160:(i + 1) * 160]) for i in range(50)]
    packets[10], packets[11] = packets[11], packets[10]
    del packets[3]
    for udp in (False, True):
        if udp:
            mine = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            for _ in range(50):
                mine.bind(("127.0.0.1", 0))
                if mine.getsockname()[1] % 2 == 0:
                    break
                mine.close()
                mine = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            port = mine.getsockname()[1]
            s, r = back_client(t, c, f"RTP/AVP;unicast;client_port={port}-{port + 1}")
            t.equal(r.status, 200, r)
            to = int(re.search(r"server_port=(\d+)-", s.transport).group(1))

            def send(p):
                mine.sendto(p, ("127.0.0.1", to))
        else:
            s, r = back_client(t, c, "RTP/AVP/TCP;unicast;interleaved=4-5")
            t.equal(r.status, 200, r)

            def send(p):
                s.send_raw(struct.pack(">BBH", 36, 4, len(p)) + p)
        send(packets[0])  # before PLAY nothing is heard
        r = s.call("PLAY", headers=[("Require", BACK)])
        t.equal(r.status, 200, r)
        for p in packets:
            send(p)
        for _ in range(300):
            if c.admin.get("/vedette/audio").json["output"]["talking"]:
                break
        other, r = back_client(t, c, "RTP/AVP/TCP;unicast;interleaved=0-1")
        t.equal(r.status, 453, r)
        c.advance(0.6)
        is_tone(t, heard(c, 0.3), 440, "UDP" if udp else "TCP")
        t.equal(s.call("TEARDOWN").status, 200)
        c.advance(3)
        t.equal(sound.level(heard(c, 0.5)), -120)
        t.equal(c.admin.get("/vedette/audio").json["output"]["talking"], False)
    c.update("Audio.DuplexMode", "get")
    try:
        r = c.rtsp_client().call("DESCRIBE", headers=[("Require", BACK)])
        t.equal(r.status, 551, "nobody may talk")
    finally:
        reset(c)


def test_E8_capabilities(t):
    c = t.shared()
    r = c.viewer.post("/axis-cgi/audio/streamingcapabilities.cgi",
                      json.dumps({"apiVersion": "1.0", "method": "list"}), type="application/json")
    aac = r.json["data"]["encoders"]["aac"]
    t.check({"sample_rate": 16000, "bit_rates": [8000, 16000, 32000, 64000, 96000]} in aac, aac)
    for name, value in (("Properties.Audio.Audio", "yes"),
                        ("Properties.Audio.DuplexMode", "full,half,post,get"),
                        ("AudioSource.A0.AudioEncoding", "aac"), ("Audio.A0.Enabled", "no")):
        t.equal(c.param(name), value, name)


def devices(c, method, params=None, who=None):
    return (who or c.viewer).json("/axis-cgi/audiodevicecontrol.cgi", method, params)


def test_E8_device_control(t):
    """Gain, mute, connection and power of the one device, by its own API; all or nothing."""
    c = t.shared()
    device, = devices(c, "getDevicesSettings")["data"]["devices"]
    source, = device["inputs"]
    sink, = device["outputs"]
    t.equal((device["id"], source["id"], source["connectionTypeSelected"]), ("0", "0", "mic"))
    mic, = [x for x in source["connectionTypes"] if x["id"] == "mic"]
    t.equal(mic["signalingTypeSelected"], "unbalanced")
    t.equal(mic["signalingTypes"][0]["powerType"], "Electret")
    t.equal(mic["signalingTypes"][0]["channels"], [{"id": 0, "gain": 0, "mute": False}])
    t.equal(sink["connectionTypes"][0]["signalingTypes"][0]["channels"], [{"id": 0, "gain": 0, "mute": False}])
    can, = devices(c, "getDevicesCapabilities")["data"]["devices"]
    kinds = {x["id"]: x["signalingTypes"][0] for x in can["inputs"][0]["connectionTypes"]}
    t.equal(set(kinds), {"internal", "mic", "line"})
    t.equal(kinds["mic"]["channels"][0]["gain"], {"minValue": -40, "maxValue": 40})
    t.equal((kinds["mic"]["powerTypes"], kinds["line"]["powerTypes"]), (["Electret", "Phantom", "Off"], ["Off"]))
    t.equal(devices(c, "getHazardousSettings")["data"]["devices"][0]["inputs"][0]["powerType"], "Phantom")

    def change(inputs, outputs=(), who=c.operator):
        return devices(c, "setDevicesSettings", {"devices": [{"id": "0", "inputs": inputs, "outputs": outputs}]}, who)

    def mics(**settings):
        return [{"id": "mic", "signalingTypes": [{"id": "unbalanced", **settings}]}]
    try:
        r = change([{"id": "0", "connectionTypeSelected": "mic", "connectionTypes": mics(
            powerType="Phantom", channels=[{"id": 0, "gain": 6.5, "mute": True}])}],
            [{"id": 0, "connectionTypes": [{"id": "speaker", "signalingTypes": [
                {"id": "unbalanced", "channels": [{"id": 0, "gain": -12}]}]}]}])
        t.equal(r["data"], {})
        t.equal([c.param("AudioSource.A0." + n) for n in (
            "InputGain", "InputMute", "OutputGain", "OutputMute", "MicrophonePower", "MicrophonePowerType")],
            ["6.5", "yes", "-12", "no", "yes", "phantom"])
        for bad, code in (([{"id": "1"}], 2104), ([{}], 2103), ([{"id": "0", "connectionTypeSelected": "jack"}], 2104),
                          ([{"id": "0", "connectionTypes": mics(powerType="230V")}], 2104),
                          ([{"id": "0", "connectionTypes": mics(channels=[{"id": 0, "gain": 99, "mute": False}])}], 2104),
                          ([{"id": "0", "connectionTypes": mics(channels=[{"id": 0, "gain": "loud"}])}], 2104),
                          ([{"id": "0", "connectionTypes": "mic"}], 2104)):
            r = change(bad)
            t.equal(r["error"]["code"], code, bad)
        t.equal(c.param("AudioSource.A0.InputMute"), "yes", "nothing of a change that is refused")
        t.equal(devices(c, "setDevicesSettings", {}, c.operator)["error"]["code"], 2103)
        r = c.viewer.post("/axis-cgi/audiodevicecontrol.cgi", json.dumps(
            {"apiVersion": "1.0", "method": "setDevicesSettings", "params": {"devices": []}}), type="application/json")
        t.equal(r.status, 403)
        t.equal(change([{"id": "0", "connectionTypes": mics(powerType="Off")}])["data"], {})
        t.equal(c.param("AudioSource.A0.MicrophonePower"), "no")
    finally:
        for name, value in (("InputGain", 0), ("InputMute", "no"), ("OutputGain", 0), ("MicrophonePower", "yes"),
                            ("MicrophonePowerType", "electret"), ("InputType", "mic")):
            c.update("AudioSource.A0." + name, value)
