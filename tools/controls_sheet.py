#!/usr/bin/env python3
"""Every control of the picture, before and after, by the running camera in simulated time.

usage: tools/controls_sheet.py FOLDER [PATTERN]   (make pictures does it for docs/pictures/eye)"""
import pathlib
import re
import sys

from contact_sheet import look, post, settle, sheet, wait
import vedette

SIZE = "1280x720"
NOON = {"hour": 12, "weather": "clear", "over": 0}
NIGHT = {"hour": 22.5, "weather": "clear", "over": 0}
DARK = {"hour": 1, "weather": "clear", "over": 0, "lamps": "off"}
DUSK = {"hour": 20.5, "weather": "clear", "over": 0}
STREET, DOOR, CARS, PARK = (20, -8, 1), (-26, -5, 5), (22.5, -5.6, 14), (180, -10, 1)
ROAD = (-8, -11, 3)  # who drives there is smeared by a slow shutter

# Name, stage, where it looks, what is set first and then (ImageSource.I0.…), each with a caption.
PAIRS = [
    ("wdr", NOON, DOOR, ("WDR off", {"Sensor.WDR": "off"}),
     ("WDR high", {"Sensor.WDR": "on", "Sensor.WDRLevel": 100})),
    ("exposure-level", NOON, STREET, ("exposure level 20", {"Sensor.ExposureValue": 20}),
     ("exposure level 70", {"Sensor.ExposureValue": 70})),
    ("exposure-zone", NOON, DOOR, ("exposure zone: full", {"Sensor.ExposureWindow": "full"}),
     ("exposure zone: spot", {"Sensor.ExposureWindow": "spot", "Sensor.WDR": "off"})),
    ("exposure-manual", NOON, STREET,
     ("manual, 1/4000 s", {"Sensor.WDR": "off", "Sensor.Exposure": "manual", "Sensor.ManualShutter": 250}),
     ("manual, 1/500 s", {"Sensor.WDR": "off", "Sensor.Exposure": "manual", "Sensor.ManualShutter": 2000})),
    ("trade-off", DUSK, ROAD, ("low motion blur", {"Sensor.ExposurePriority": 100}),
     ("low noise", {"Sensor.ExposurePriority": 0})),
    ("max-shutter", NIGHT, ROAD, ("longest shutter 1/120 s", {"Sensor.MaxExposureTime": 8333, "Sensor.ExposurePriority": 0}),
     ("longest shutter 1/6 s", {"Sensor.MaxExposureTime": 166667, "Sensor.ExposurePriority": 0})),
    ("aperture", NOON, CARS,
     ("aperture by hand, open", {"Sensor.Exposure": "aperture", "Sensor.Aperture": 100}),
     ("nearly closed", {"Sensor.Exposure": "aperture", "Sensor.Aperture": 10})),
    ("ir-cut-filter", NOON, PARK, ("filter against infrared in", {"DayNight.IrCutFilter": "yes"}),
     ("out: leaves throw infrared back", {"DayNight.IrCutFilter": "no"})),
    ("day-night", DUSK, PARK, ("threshold dark: still day", {"DayNight.ShiftLevel": 100}),
     ("threshold bright: night", {"DayNight.ShiftLevel": 0})),
    ("tone-mapping", NOON, DOOR, ("tone mapping 0", {"Sensor.ToneMapping": 0}),
     ("tone mapping 100", {"Sensor.ToneMapping": 100})),
    ("max-gain", NIGHT, STREET, ("max gain 40", {"Sensor.MaxGain": 40}), ("max gain 100", {})),
    ("noise-reduction", NIGHT, STREET, ("noise reduction as the sensor does it", {}),
     ("temporal and spatial 100", {"Sensor.TNF": 100, "Sensor.SNF": 100})),
    ("white-balance", NIGHT, STREET, ("fixed, outdoors", {"Sensor.WhiteBalance": "fixed_outdoor1"}),
     ("automatic", {})),
    ("infrared", DARK, (-4, -16, 2), ("lamps out, infrared lamp off", {"Infrared.Mode": "off"}),
     ("night mode, infrared lamp on", {"DayNight.IrCutFilter": "no", "Infrared.Mode": "on"})),
    ("lamp-angle", DARK, (-4, -16, 2),
     ("beam 12 degrees", {"DayNight.IrCutFilter": "no", "Infrared.Mode": "on", "Infrared.Angle": 12}),
     ("beam 60 degrees", {"DayNight.IrCutFilter": "no", "Infrared.Mode": "on", "Infrared.Angle": 60})),
    ("sensor-noise", NIGHT, STREET, ("noise reduction off", {"Sensor.NoiseReduction": "no"}),
     ("on", {})),
    ("defog", {**NOON, "weather": "fog"}, STREET, ("fog", {}),
     ("defog on", {"Sensor.Defog": "on", "Sensor.DefogEffect": 90})),
    ("scene-profile", NOON, STREET, ("forensic", {"SceneProfile": "forensic"}),
     ("vivid", {"SceneProfile": "vivid"})),
    ("colour", NOON, STREET, ("saturation 10", {"Sensor.ColorLevel": 10}),
     ("saturation 80", {"Sensor.ColorLevel": 80})),
    ("contrast", NOON, STREET, ("contrast 20", {"Sensor.Contrast": 20}),
     ("contrast 80", {"Sensor.Contrast": 80})),
    ("brightness", NOON, STREET, ("brightness 30", {"Sensor.Brightness": 30}),
     ("brightness 70", {"Sensor.Brightness": 70})),
    ("sharpness", NOON, CARS, ("sharpness 10", {"Sensor.Sharpness": 10}),
     ("sharpness 90", {"Sensor.Sharpness": 90})),
    ("local-contrast", NOON, STREET, ("local contrast 50", {}),
     ("local contrast 90", {"Sensor.LocalContrast": 90})),
    ("focus", NOON, CARS, ("manual focus, near", {"Focus.Mode": "manual"}), ("automatic focus", {})),
    ("stabiliser", NOON, CARS, ("stabiliser off", {}),
     ("stabiliser on: a little is cropped", {"Sensor.Stabilizer": "high"})),
    ("rotation", NOON, STREET, ("as it hangs", {}), ("source rotation 180", {"SourceRotation": 180})),
]


def settings(c):
    """All of them as they are."""
    r = c.admin.get("/axis-cgi/param.cgi?action=list&group=ImageSource.I0")
    return dict(line.removeprefix("root.ImageSource.I0.").split("=", 1) for line in r.text.splitlines()
                if "=" in line)


def take(c, name, caption, folder):
    settle(c)
    path = folder / f"{name}.jpg"
    path.write_bytes(c.snapshot(f"resolution={SIZE}&compression=25"))
    return path, caption


def make(folder, pattern=""):
    folder.mkdir(parents=True, exist_ok=True)
    done = []
    with vedette.Camera("release", clock="sim", source="virtual:street") as c:
        c.setup(users=False)
        post(c, "/vedette/stage/scenario", {"name": "default"})
        wait(c, 41)
        plain = settings(c)
        for name, stage, where, first, then in PAIRS:
            if not re.search(pattern, name):
                continue
            post(c, "/vedette/stage", stage)
            look(c, *where)
            for k, (caption, values) in enumerate((first, then)):
                for key, value in values.items():
                    c.update("ImageSource.I0." + key, str(value))
                if values.get("Focus.Mode") == "manual":
                    c.ptz_command("focus=1500")
                done.append(take(c, f"{name}-{k + 1}", caption, folder))
                for key in values:
                    c.update("ImageSource.I0." + key, plain[key])
                if "Focus.Mode" in values:
                    c.ptz_command("autofocus=on")
                if "SceneProfile" in values:
                    for key in ("ColorLevel", "Contrast", "Brightness", "Sharpness", "LocalContrast"):
                        c.update("ImageSource.I0.Sensor." + key, plain["Sensor." + key])
            post(c, "/vedette/stage", {"lamps": "auto"})
    sheet(done, folder / "sheet.jpg")


if __name__ == "__main__":
    make(pathlib.Path(sys.argv[1]), *sys.argv[2:3])
