#!/usr/bin/env python3
"""Regenerates docs/pictures and docs/api.md from the running camera:

docs/pictures/view-*.jpg   what the virtual camera sees at some poses
docs/pictures/ui/*.jpg     every page, light and dark, desktop and phone
docs/api.md                every address and parameter, from the camera's own tables"""
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "test/lib"))
import vedette  # noqa: E402

# Name, pan, tilt, zoom (VAPIX units: 1 is the widest, 9999 is 30×).
VIEWS = [("start", 0, 0, 1), ("east", 90, -3, 1), ("south", 180, -3, 1), ("west", -90, -3, 1),
         ("down", 20, -55, 1)]


def views(c, folder):
    for name, pan, tilt, zoom in VIEWS:
        c.ptz_command(f"pan={pan}&tilt={tilt}&zoom={zoom}&speed=100")
        c.rest()
        (folder / f"view-{name}.jpg").write_bytes(c.snapshot("resolution=1280x720"))
    # A small sign that is only at 30×.
    c.ptz_command("pan=0&tilt=0&zoom=1&speed=100")
    c.rest()
    pan, tilt = SIGN
    c.ptz_command(f"pan={pan}&tilt={tilt}&zoom=9999&speed=100")
    c.rest()
    (folder / "view-30x.jpg").write_bytes(c.snapshot("resolution=1280x720"))


SIGN = (-13.55, -5.81)  # on the kiosk's wall


def cell(text):
    return str(text).replace("|", "\\|").replace("\n", " ")


def limits(row):
    if "choices" in row:
        return " ".join(f"`{c}`" if c else "(empty)" for c in row["choices"])
    if "min" in row and "max" in row:
        return f"{row['min']:g} … {row['max']:g}"
    if "maxLength" in row:
        return f"up to {row['maxLength']} characters"
    return ""


def api(c):
    routes = c.admin.get("/vedette/routes").json
    ws = c.websocket("/vedette/ws")
    ws.send(json.dumps({"id": 1, "do": "get", "names": ["*"], "describe": True}))
    while True:
        answer = json.loads(ws.receive())
        if answer.get("id") == 1:
            break
    lines = ["# What answers where", "",
             "Made by `make pictures` from the camera's own tables; do not edit.", "",
             "## Addresses", "",
             "`GET /vedette/routes` (administrator) gives this table as JSON. Nothing else answers.", "",
             "| address | methods | least role | what |", "|---|---|---|---|"]
    for r in sorted(routes, key=lambda r: r["path"]):
        if r["path"].startswith("/assets/"):
            continue  # the page's own files change their names with each build
        what = f"the same as `{r['aliasOf']}`" if r.get("aliasOf") else r["doc"]
        lines.append(f"| `{r['path']}` | {' '.join(r['methods'])} | {r['role']} | {cell(what)} |")
    lines += ["", "## Parameters", "",
              "For `param.cgi`, the WebSocket (docs/ws.md) and `vedettectl param`. Read-only ones are in italics.",
              "", "| parameter | default | values | unit | what |", "|---|---|---|---|---|"]
    for name, row in sorted(answer["rows"].items()):
        shown = f"`{name}`" if row.get("writable") else f"*`{name}`*"
        standard = row.get("default", "")
        lines.append(f"| {shown} | {'`' + cell(standard) + '`' if standard else ''} | {limits(row)} | "
                     f"{row.get('unit') or ''} | {cell(row.get('doc') or '')} |")
    (ROOT / "docs/api.md").write_text("\n".join(lines) + "\n")


def main():
    folder = ROOT / "docs/pictures"
    (folder / "ui").mkdir(parents=True, exist_ok=True)
    with vedette.Camera("release") as c:
        c.setup(users=False)
        views(c, folder)
        api(c)
    env = {**os.environ, "VEDETTE_PICTURES": str(folder / "ui")}
    return subprocess.run(["node", str(ROOT / "test/browser/run.mjs")], env=env).returncode


if __name__ == "__main__":
    sys.exit(main())
