#!/usr/bin/env python3
"""Regenerates docs/pictures and docs/api.md from the running camera:

docs/pictures/place/*.jpg  what the virtual camera shows of its places, and a sheet of it
docs/pictures/eye/*.jpg    what each control of the picture does
docs/pictures/ui/*.jpg     every page, light and dark, desktop and phone
docs/api.md                every address and parameter, from the camera's own tables"""
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "test/lib"))
import contact_sheet  # noqa: E402
import controls_sheet  # noqa: E402
import vedette  # noqa: E402

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
        api(c)
    contact_sheet.make(folder / "place")
    controls_sheet.make(folder / "eye")
    env = {**os.environ, "VEDETTE_PICTURES": str(folder / "ui")}
    return subprocess.run(["node", str(ROOT / "test/browser/run.mjs")], env=env).returncode


if __name__ == "__main__":
    sys.exit(main())
