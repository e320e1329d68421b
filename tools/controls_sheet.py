#!/usr/bin/env python3
"""Every control of the picture, before and after, by the running camera in simulated time. Both
pictures of a pair are of the same moment of the same scenario.

usage: tools/controls_sheet.py FOLDER [PATTERN]   (make pictures does it for docs/pictures/eye)"""
import dataclasses
import pathlib
import re
import sys
import tempfile

from contact_sheet import ffmpeg, look, post, settle, sheet
import vedette

SIZE, FULL = "1280x720", "1920x1080"
NOON = {"hour": 12, "weather": "clear", "over": 0}
WINDY = {**NOON, "wind": 14}
FOG = {**NOON, "weather": "fog"}
NIGHT = {"hour": 22.5, "weather": "clear", "over": 0}
DARK = {"hour": 1, "weather": "clear", "over": 0, "lamps": "off"}
EVENING = {**NOON, "hour": 19.4}
DUSK = {"hour": 20.5, "weather": "clear", "over": 0}
LAMPS = {"hour": 23, "weather": "clear", "over": 0, "lamps": "on", "mains": "50"}
STREET, DOOR, CARS, PARK = (20, -8, 1), (-26.4, -6, 5), (22.5, -5.6, 14), (180, -10, 1)
ROAD = (-4, -12, 3)
SOMEBODY = (-8.48, -11.75, 28)  # in the middle; the crossing is far behind
FLOOR = (0, -11, 2)

# Who is there: the scenario's text, or a name.
EVERYDAY = "default"
AT_THE_DOOR = ("actor inside man at -19.3 40.2 facing 170\nactor outside woman at -16.5 38 facing 200\n"
               "actor other man at -21.6 37.6 facing 150\n")
PASSING = ("actor car car-hatch drive (-60 28  60 28) speed 9 look 3\n"
           "actor runner man run (-30 34  30 34) speed 3.4\nactor walker woman walk (10 24  -20 24) speed 1.5\n")
ONE = "actor one man at -3.1 20.8 facing 175\n"
ACROSS = "actor a man at -3 24 facing 170\nactor b woman at 0.5 20 facing 190\n"


BEHIND_HIM = {"Focus.Mode": "area", "Focus.Area.Left": 200, "Focus.Area.Right": 2500, "Focus.Area.Top": 500,
              "Focus.Area.Bottom": 7000}


@dataclasses.dataclass
class Pair:
    name: str
    stage: dict
    where: tuple
    first: tuple  # a caption, and what is set (ImageSource.I0.… or, with a dot before, the whole name)
    then: tuple
    who: str = EVERYDAY
    seconds: float = 3  # from the scenario's beginning to the picture
    focus: int = 0      # set by hand, 1 … 9999
    show: str = ""      # crop: a part as it is; strips: pictures one beside the other; film: laid over each other
    crop: str = ""      # WxH+X+Y of FULL
    place: str = "street"
    source: str = ",1920x1080@15"


def crop(w, h, x, y):
    return f"crop={w}:{h}:{x}:{y}"


PAIRS = [
    Pair("wdr", NOON, DOOR, ("WDR off", {"Sensor.WDR": "off"}),
         ("WDR high", {"Sensor.WDR": "on", "Sensor.WDRLevel": 100}), AT_THE_DOOR),
    Pair("wdr-level", NOON, DOOR, ("WDR low", {"Sensor.WDRLevel": 10}),
         ("WDR high", {"Sensor.WDRLevel": 100}), AT_THE_DOOR),
    Pair("tone-mapping", NOON, DOOR, ("tone mapping 0", {"Sensor.ToneMapping": 0}),
         ("tone mapping 100", {"Sensor.ToneMapping": 100}), AT_THE_DOOR),
    Pair("exposure-level", NOON, STREET, ("exposure level 20", {"Sensor.ExposureValue": 20}),
         ("exposure level 70", {"Sensor.ExposureValue": 70})),
    Pair("exposure-zone", NOON, DOOR,
         ("exposure zone: full", {"Sensor.ExposureWindow": "full", "Sensor.WDR": "off"}),
         ("exposure zone: spot, the dark doorway", {"Sensor.ExposureWindow": "spot", "Sensor.WDR": "off"}),
         AT_THE_DOOR),
    Pair("exposure-zone-own", NOON, DOOR,
         ("own zone: the sunny wall", {
             "Sensor.ExposureWindow": "custom", "Sensor.WDR": "off",
             "Sensor.CustomExposureWindow.C0.WindowType": "include",
             "Sensor.CustomExposureWindow.C0.Left": 500, "Sensor.CustomExposureWindow.C0.Right": 3500}),
         ("own zone: the doorway", {
             "Sensor.ExposureWindow": "custom", "Sensor.WDR": "off",
             "Sensor.CustomExposureWindow.C0.WindowType": "include",
             "Sensor.CustomExposureWindow.C0.Left": 4300, "Sensor.CustomExposureWindow.C0.Right": 5500}),
         AT_THE_DOOR),
    Pair("exposure-manual", NOON, STREET,
         ("manual, 1/4000 s", {"Sensor.WDR": "off", "Sensor.Exposure": "manual", "Sensor.ManualShutter": 250}),
         ("manual, 1/1000 s", {"Sensor.WDR": "off", "Sensor.Exposure": "manual", "Sensor.ManualShutter": 1000})),
    Pair("manual-gain", DUSK, STREET,
         ("manual gain 40", {"Sensor.WDR": "off", "Sensor.Exposure": "manual", "Sensor.ManualGain": 40}),
         ("manual gain 60", {"Sensor.WDR": "off", "Sensor.Exposure": "manual", "Sensor.ManualGain": 60})),
    Pair("exposure-hold", EVENING, STREET, ("evening, exposure held since noon", {"Sensor.Exposure": "hold"}),
         ("automatic", {"Sensor.Exposure": "auto"})),
    Pair("trade-off", DUSK, ROAD,
         ("low motion blur: gain first", {"Sensor.ExposurePriority": 100, "Sensor.MaxExposureTime": 100000}),
         ("low noise: time first", {"Sensor.ExposurePriority": 0, "Sensor.MaxExposureTime": 100000}), PASSING, 7),
    Pair("max-shutter", NIGHT, ROAD,
         ("longest shutter 1/120 s", {"Sensor.MaxExposureTime": 8333, "Sensor.ExposurePriority": 0}),
         ("longest shutter 1/6 s", {"Sensor.MaxExposureTime": 166667, "Sensor.ExposurePriority": 0}), PASSING, 7),
    Pair("min-shutter", NOON, ROAD, ("shortest shutter 1/33000 s", {}),
         ("shortest shutter 1/50 s", {"Sensor.MinExposureTime": 20000}), PASSING, 7),
    Pair("max-gain", NIGHT, STREET, ("max gain 40", {"Sensor.MaxGain": 40}), ("max gain 100", {})),
    Pair("aperture", NOON, SOMEBODY,
         ("aperture open, focus on the road behind him",
          {"Sensor.Exposure": "aperture", "Sensor.Aperture": 100, **BEHIND_HIM}),
         ("nearly closed: he is sharp as well",
          {"Sensor.Exposure": "aperture", "Sensor.Aperture": 10, **BEHIND_HIM}), ONE, 5),
    Pair("flicker-free", LAMPS, FLOOR,
         ("shutter 1/250 s: twelve pictures one by one",
          {"Sensor.Exposure": "shutter", "Sensor.ManualShutter": 4000, "DayNight.IrCutFilter": "yes"}),
         ("flicker-free: always whole periods of the lamps",
          {"Sensor.Exposure": "flickerfree50", "DayNight.IrCutFilter": "yes"}), "hall-day", 3,
         show="strips", place="hall", source=""),
    Pair("flicker-reduced", LAMPS, FLOOR,
         ("shutter 1/77 s",
          {"Sensor.Exposure": "shutter", "Sensor.ManualShutter": 13000, "DayNight.IrCutFilter": "yes"}),
         ("flicker-reduced", {"Sensor.Exposure": "flickerreduced50", "DayNight.IrCutFilter": "yes"}),
         "hall-day", 3, show="strips", place="hall", source=""),
    Pair("power-line", LAMPS, FLOOR,
         ("power line 60 Hz and its 1/120 s, lamps of 50 Hz",
          {"CaptureFrequency": "60Hz", "Sensor.Exposure": "flickerfree60", "Sensor.MaxExposureTime": 9000,
           "DayNight.IrCutFilter": "yes"}),
         ("power line 50 Hz and its 1/100 s",
          {"CaptureFrequency": "50Hz", "Sensor.Exposure": "flickerfree50", "Sensor.MaxExposureTime": 10500,
           "DayNight.IrCutFilter": "yes"}), "hall-day", 3, show="strips", place="hall", source=""),
    Pair("capture-mode", NOON, CARS, ("capture mode 1920x1080: a part", {}),
         ("capture mode 1280x720: the same part", {"Sensor.CaptureMode": 5}), ONE, show="part", source=""),
    Pair("day-night", DUSK, PARK,
         ("threshold dark: still day", {"DayNight.ShiftLevel": 100}),
         ("threshold bright: night already", {"DayNight.ShiftLevel": 0}), seconds=8),
    Pair("ir-cut-filter", NOON, PARK, ("filter against infrared in", {"DayNight.IrCutFilter": "yes"}),
         ("out: leaves throw infrared back", {"DayNight.IrCutFilter": "no"})),
    Pair("infrared", DARK, ROAD, ("lamps out, infrared lamp off",
                                  {"DayNight.IrCutFilter": "no", "Infrared.Mode": "off"}),
         ("infrared lamp on", {"DayNight.IrCutFilter": "no", "Infrared.Mode": "on"}), ACROSS),
    Pair("infrared-intensity", DARK, ROAD,
         ("infrared lamp at 3", {"DayNight.IrCutFilter": "no", "Infrared.Mode": "on",
                                "Infrared.IntensityMode": "manual", "Infrared.Intensity": 3}),
         ("at 100", {"DayNight.IrCutFilter": "no", "Infrared.Mode": "on",
                    "Infrared.IntensityMode": "manual", "Infrared.Intensity": 100}), ACROSS),
    Pair("lamp-angle", DARK, ROAD,
         ("beam 12 degrees", {"DayNight.IrCutFilter": "no", "Infrared.Mode": "on", "Infrared.Angle": 12}),
         ("beam 60 degrees", {"DayNight.IrCutFilter": "no", "Infrared.Mode": "on", "Infrared.Angle": 60}), ACROSS),
    Pair("white-balance", NIGHT, STREET,
         ("fixed, outdoors", {"Sensor.WhiteBalance": "fixed_outdoor1", "DayNight.IrCutFilter": "yes"}),
         ("automatic", {"Sensor.WhiteBalance": "auto", "DayNight.IrCutFilter": "yes"}), seconds=6),
    Pair("white-balance-manual", NOON, STREET,
         ("by hand: red 70, blue 30",
          {"Sensor.WhiteBalance": "manual", "Sensor.RedBalance": 70, "Sensor.BlueBalance": 30}),
         ("red 40, blue 65", {"Sensor.WhiteBalance": "manual", "Sensor.RedBalance": 40, "Sensor.BlueBalance": 65})),
    Pair("sensor-noise", NIGHT, STREET, ("noise reduction off", {"Sensor.NoiseReduction": "no"}),
         ("on", {}), ONE, show="crop", crop=crop(640, 360, 1100, 560)),
    Pair("noise-reduction", NIGHT, STREET, ("temporal and spatial 50", {}),
         ("temporal and spatial 100", {"Sensor.TNF": 100, "Sensor.SNF": 100}), ONE,
         show="crop", crop=crop(640, 360, 1100, 560)),
    Pair("defog", FOG, STREET, ("fog", {}), ("defog on", {"Sensor.Defog": "on", "Sensor.DefogEffect": 90})),
    Pair("scene-profile", NOON, STREET, ("forensic", {"SceneProfile": "forensic"}),
         ("vivid", {"SceneProfile": "vivid"})),
    Pair("colour", NOON, STREET, ("saturation 10", {"Sensor.ColorLevel": 10}),
         ("saturation 80", {"Sensor.ColorLevel": 80})),
    Pair("contrast", NOON, STREET, ("contrast 20", {"Sensor.Contrast": 20}),
         ("contrast 80", {"Sensor.Contrast": 80})),
    Pair("brightness", NOON, STREET, ("brightness 30", {"Sensor.Brightness": 30}),
         ("brightness 70", {"Sensor.Brightness": 70})),
    Pair("sharpness", NOON, DOOR, ("sharpness 10", {"Sensor.Sharpness": 10}),
         ("sharpness 90", {"Sensor.Sharpness": 90}), AT_THE_DOOR, show="crop", crop=crop(640, 360, 900, 180)),
    Pair("local-contrast", NOON, STREET, ("local contrast 10", {"Sensor.LocalContrast": 10}),
         ("local contrast 95", {"Sensor.LocalContrast": 95})),
    Pair("focus", NOON, CARS, ("focus by hand, too near", {"Focus.Mode": "manual"}), ("automatic focus", {}),
         focus=6500, seconds=4),
    Pair("focus-spot", NOON, SOMEBODY, ("not spot: an area beside him", BEHIND_HIM),
         ("spot: what is in the middle", {"Focus.Mode": "spot"}), ONE, 5),
    Pair("focus-area", NOON, SOMEBODY,
         ("focus area: the road behind him", BEHIND_HIM),
         ("focus area: on him",
          {"Focus.Mode": "area", "Focus.Area.Left": 4500, "Focus.Area.Right": 5500, "Focus.Area.Top": 3500,
           "Focus.Area.Bottom": 8000}), ONE, 5),
    Pair("near-limit", NOON, SOMEBODY, ("spot, near limit 0", {"Focus.Mode": "spot"}),
         ("spot, near limit 96: he is nearer", {"Focus.Mode": "spot", "Focus.NearLimit": 96}), ONE, 9, source=",1280x720@15"),
    Pair("stabiliser", WINDY, CARS, ("wind shakes it: a second of pictures, laid over each other", {}),
         ("stabiliser on; a little is cropped", {"Sensor.Stabilizer": "high"}), ONE, 5, show="film"),
    Pair("rotation", NOON, STREET, ("as it hangs", {}), ("source rotation 180", {"SourceRotation": 180})),
    Pair("mirror", NOON, STREET, ("as it is", {}), ("mirrored", {".Image.I0.Appearance.MirrorEnabled": "yes"})),
]
NEXT_START = {"CaptureFrequency", "Sensor.CaptureMode"}
STRIPS, FILM = 12, 15


def name_of(key):
    return key[1:] if key.startswith(".") else "ImageSource.I0." + key


def settings(c, pair):
    """What the pair sets, as it is before."""
    return {key: c.param(name_of(key)) for _, values in (pair.first, pair.then) for key in values}


def change(c, values):
    c.set_param(**{name_of(k): str(v) for k, v in values.items()})
    if NEXT_START & values.keys():
        c.restart()


def picture(c, pair, path):
    """One picture, or what several of them show."""
    if not pair.show:
        path.write_bytes(c.snapshot(f"resolution={SIZE}&compression=25"))
        return
    with tempfile.TemporaryDirectory() as tmp:
        tmp = pathlib.Path(tmp)
        each = f"resolution={FULL if pair.show == 'crop' else SIZE}&compression=5"
        if pair.show == "part":  # as the sensor gives it
            each = "compression=5"
        count = {"strips": STRIPS, "film": FILM}.get(pair.show, 1)
        for i in range(count):
            (tmp / f"{i:03}.jpg").write_bytes(c.snapshot(each))
            if count > 1:
                c.advance(1 / 15 if pair.show == "film" else 1 / 30)
        given = ["-framerate", 1, "-i", tmp / "%03d.jpg"]
        how = {"crop": pair.crop + ",scale=iw*2:ih*2:flags=neighbor",
               "part": "crop=iw/3:ih/3,scale=1280:720:flags=neighbor",
               "film": f"tmix=frames={FILM},select='eq(n,{FILM - 1})'",
               "strips": f"crop=iw/{STRIPS}:ih,tile={STRIPS}x1"}[pair.show]
        ffmpeg(*given, "-vf", how, "-frames:v", 1, "-q:v", 4, path)


def take(c, pair, k, folder):
    caption, values = (pair.first, pair.then)[k]
    if pair.name == "exposure-hold":  # what is held is noon's
        show(c, pair, NOON)
        change(c, values)
        post(c, "/vedette/stage", EVENING)
        settle(c)
    else:
        change(c, values)
        show(c, pair, pair.stage)
    if pair.focus and values:
        c.ptz_command(f"focus={pair.focus}")
        settle(c)
    path = folder / f"{pair.name}-{k + 1}.jpg"
    picture(c, pair, path)
    return path, caption


def show(c, pair, stage):
    """The pair's scene, from its beginning to its moment, while somebody watches."""
    text = {"name": pair.who} if "\n" not in pair.who else \
        {"text": f"scenario pair\nplace {pair.place}\nlength 60 once\n" + pair.who}
    look(c, *pair.where)
    post(c, "/vedette/stage/scenario", text)
    post(c, "/vedette/stage", {"lamps": "auto", "mains": "off", "wind": "auto", **stage})
    for _ in range(round(2 * pair.seconds)):
        c.snapshot("resolution=160x90")
        c.advance(0.5)


def take_pair(c, pair, folder):
    plain = settings(c, pair)
    show(c, dataclasses.replace(pair, seconds=2), NOON)  # it begins by day
    done = []
    for k in range(2):
        done.append(take(c, pair, k, folder))
        change(c, plain)
        if pair.focus:
            c.ptz_command("autofocus=on")
        if "SceneProfile" in plain:
            for key in ("ColorLevel", "Contrast", "Brightness", "Sharpness", "LocalContrast"):
                c.update("ImageSource.I0.Sensor." + key, "50")
    return done


def make(folder, pattern=""):
    folder.mkdir(parents=True, exist_ok=True)
    done = {}
    wanted = [p for p in PAIRS if re.search(pattern, p.name)]
    for source in dict.fromkeys(p.place + p.source for p in wanted):
        pairs = [p for p in wanted if p.place + p.source == source]
        with vedette.Camera("release", clock="sim", source="virtual:" + source) as c:
            c.setup(users=False)
            for key in ("DwellTime", "NightDayDwellTime"):
                c.update("ImageSource.I0.DayNight." + key, "0")
            for pair in pairs:
                done[pair.name] = take_pair(c, pair, folder)
    sheet([picture_ for p in PAIRS if p.name in done for picture_ in done[p.name]], folder / "sheet.jpg")


if __name__ == "__main__":
    make(pathlib.Path(sys.argv[1]), *sys.argv[2:3])
