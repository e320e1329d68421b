#!/usr/bin/env python3
"""Checks the house rules of src/LAYERS and docs/laws.md; run by every build.

Who may include whom, calls that are banned, and clocks read outside base.
Prints one line per breach and exits 1 if there is any.
usage: layers.py ROOT [STAMP]"""
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
src = root / "src"
level, allow, only, order = {}, set(), {}, {}
for line in (src / "LAYERS").read_text().splitlines():
    words = line.split("#")[0].split()
    if not words:
        continue
    if re.fullmatch(r"L\d+", words[0]):
        for room in words[1:]:
            level[room] = int(words[0][1:])
    elif words[0] == "allow":
        allow.add((words[1], words[2]))
    elif words[0] == "only":
        only[words[1]] = set(words[2:]) | {words[1].split("/")[0]}
    elif words[0] == "order":
        for i, folder in enumerate(words[2:]):
            order[f"{words[1]}/{folder}"] = (words[1], i)
    else:
        sys.exit(f"src/LAYERS: unknown line: {line}")

BANNED = re.compile(
    r"(?<![\w.>])(strcpy|strcat|sprintf|vsprintf|gets|strtok|system|popen|tmpnam|mktemp|alloca|atoi|atof|atol|"
    r"execlp|execvp|wordexp)\s*\(")
CLOCKS = re.compile(r"(?<![\w.>])(clock_gettime|gettimeofday|nanosleep|clock_nanosleep|usleep|sleep|time)\s*\(")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')
breaches = []


def room_of(path):
    parts = path.relative_to(src).parts
    return parts[0] if len(parts) > 1 else "main"


def strip(text):
    """Blanks comments and string literals, keeping lines."""
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"',
                  lambda m: re.sub(r"[^\n]", " ", m.group()), text, flags=re.S)


for path in sorted([*src.rglob("*.c"), *src.rglob("*.h"), *(root / "agent").rglob("*.[ch]")]):
    in_src = src in path.parents
    room = room_of(path) if in_src else "agent"
    text = path.read_text()
    where = path.relative_to(root)
    if in_src and room not in level:
        breaches.append(f"{where}: room '{room}' is not in src/LAYERS")
        continue
    for n, line in enumerate(text.splitlines(), 1):
        m = INCLUDE.match(line)
        if not m or not in_src:
            continue
        target = m.group(1)
        mine, theirs = (order.get(str(pathlib.PurePath(f).parent)) for f in (path.relative_to(src), target))
        if mine and theirs and mine[0] == theirs[0] and theirs[1] > mine[1]:
            breaches.append(f"{where}:{n}: {path.parent.name} includes {target}, which comes later in src/LAYERS")
        other = target.split("/")[0]
        if other not in level:
            continue  # generated or local file
        if target in only and room not in only[target]:
            breaches.append(f"{where}:{n}: only {sorted(only[target])} may include {target}")
        if other == room or (room, other) in allow or (room, target) in allow:
            continue
        if level[other] >= level[room]:
            breaches.append(f"{where}:{n}: {room} (L{level[room]}) includes {target} (L{level[other]})")
    for n, line in enumerate(strip(text).splitlines(), 1):
        if m := BANNED.search(line):
            breaches.append(f"{where}:{n}: banned call {m.group(1)}()")
        if room != "base" and (m := CLOCKS.search(line)):
            breaches.append(f"{where}:{n}: {m.group(1)}() outside base; use the clock port")

print("\n".join(breaches) or f"layers: {sum(1 for _ in src.rglob('*.c'))} files keep the house rules")
if breaches:
    sys.exit(1)
if len(sys.argv) > 2:
    pathlib.Path(sys.argv[2]).write_text("ok\n")
