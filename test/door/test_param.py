"""param.cgi to the letter (rows J1, I11's plain list)."""
import re
import xml.etree.ElementTree

import web

SOURCE = "virtual"  # as it is delivered

P = "/axis-cgi/param.cgi"


def listed(c, client, **args):
    r = client.get(P + "?" + web.q(action="list", **args))
    assert r.status == 200, r
    assert r.get("content-type").split(";")[0] == "text/plain", r.headers
    assert "\r" not in r.text
    return r.text


def test_J1_param_list(t):
    c = t.shared()
    text = listed(c, c.admin)
    lines = text.split("\n")
    t.equal(lines.pop(), "", "ends with LF")
    for line in lines:
        t.match(r"^root\.[A-Za-z0-9]+(\.[A-Za-z0-9_]+)+=", line)
    names = [l.partition("=")[0] for l in lines]
    t.equal(len(names), len(set(names)), "a name twice")
    for n in names:  # never both leaf and group
        t.check(not any(o.startswith(n + ".") for o in names), n)
    for need in ("Brand.Brand", "Properties.Firmware.Version", "Properties.System.SerialNumber",
                 "Properties.API.HTTP.Version", "Properties.Image.Resolution",
                 "Image.I0.Appearance.Resolution", "Image.I0.Appearance.Compression",
                 "Image.I0.Stream.FPS", "StreamProfile.MaxGroups", "PTZ.NbrOfCameras",
                 "PTZ.Limit.L1.MinPan", "PTZ.Support.S1.AbsolutePan", "Network.RTSP.Port"):
        t.check("root." + need in names, need)
    t.equal(c.admin.get(P).text, text, "list is the default action")
    t.equal(c.admin.post(P, "action=list", type="text/plain").text, text, "in the body")


def test_J1_param_groups(t):
    c = t.shared()
    brand = listed(c, c.admin, group="Brand")
    t.match("^(root.Brand.[^\n]+\n)+$", brand)
    t.equal(listed(c, c.admin, group="root.Brand"), brand)
    one = listed(c, c.admin, group="Brand.Brand")
    t.match("^root.Brand.Brand=[^\n]*\n$", one)
    t.equal(listed(c, c.admin, group="root.Brand.Brand"), one)
    two = listed(c, c.admin, group="Brand.Brand,PTZ.NbrOfCameras")
    t.equal(two, one + listed(c, c.admin, group="PTZ.NbrOfCameras"))
    r = c.admin.get(P + "?action=list&group=Brand.Brand&group=PTZ.NbrOfCameras")
    t.equal(r.text, two, "repeated group")
    t.equal(listed(c, c.admin, group="Image.*.Appearance.Compression"),
            "".join(listed(c, c.admin, group=f"Image.I{i}.Appearance.Compression")
                    for i in range(9)))
    t.equal(listed(c, c.admin, group="PTZ.Support.S*.Abs*Pan"),
            listed(c, c.admin, group="PTZ.Support.S1.AbsolutePan"))
    for args in ({"responseformat": "rfc"}, {"usergroup": "admin"}, {"timestamp": "123"}, {"html": "no"}):
        t.equal(listed(c, c.admin, group="Brand.Brand", **args), one, args)
    t.equal(c.admin.post(P, "action=list&group=Brand.Brand", type="text/plain").text, one)
    t.equal(c.admin.post(P + "?action=list", "group=Brand.Brand", type="text/plain").text, one)


def test_J1_param_order(t):
    """Leaves of a group in case-insensitive order, then its subgroups."""
    c = t.shared()
    names = [l.partition("=")[0] for l in listed(c, c.admin).splitlines()]
    seen = {}
    for n in names:
        group, _, leaf = n.rpartition(".")
        seen.setdefault(group, []).append(leaf)
    for group, leaves in seen.items():
        t.equal(leaves, sorted(leaves, key=str.lower), group)
        first = names.index(f"{group}.{leaves[0]}")
        t.equal(names[first:first + len(leaves)], [f"{group}.{x}" for x in leaves], group)


def test_J1_param_errors(t):
    c = t.shared()
    one = listed(c, c.admin, group="Brand.Brand")
    t.equal(listed(c, c.admin, group="Foo"), "# Error: Error -1 getting param in group 'Foo'\n")
    t.equal(sorted(listed(c, c.admin, group="Foo,Brand.Brand").splitlines(True)),
            sorted(["# Error: Error -1 getting param in group 'Foo'\n", one]))
    r = c.admin.get(P + "?action=dance")
    t.equal(r.status, 200)
    t.match("^# (Error|Request failed)", r.text)


def test_J1_param_update(t):
    c = t.shared()
    name = "Image.I0.Appearance.Compression"
    was = c.param(name)

    def update(**args):
        r = c.admin.post(P, web.q(action="update", **args), type="text/plain")
        t.equal(r.status, 200)
        t.equal(r.get("content-type").split(";")[0], "text/plain")
        return r.text
    t.match(r"^OK\n?$", update(**{name: "41"}))
    t.equal(c.param(name), "41")
    t.match(r"^OK\n?$", update(**{"root." + name: "42", "timestamp": "17"}))
    t.equal(c.param(name), "42")
    r = c.admin.get(P + f"?action=update&{name}=43")
    t.match(r"^OK\n?$", r.text)
    t.equal(update(**{name: "400"}).strip(), f"# Error: Error setting 'root.{name}' to '400'!")
    t.equal(c.param(name), "43")
    # The good one is applied, the bad one named.
    text = update(**{name: "44", "Image.I0.Appearance.Rotation": "77"})
    t.equal(text.strip(), "# Error: Error setting 'root.Image.I0.Appearance.Rotation' to '77'!")
    t.equal(c.param(name), "44")
    for bad in ("Image.I0.Appearance.Nonsense", "Foo.Bar", "Image.*.Appearance.Compression"):
        t.match("^# Error: Error setting 'root." + re.escape(bad), update(**{bad: "1"}), bad)
    for bad in ("", "abc", "-1", "4.5", "1e1", " 41", "0x10", "99999999999999999999"):
        t.match("^# Error: Error setting", update(**{name: bad}), bad)
    # Twice the same name is refused.
    r = c.admin.post(P, f"action=update&{name}=45&{name}=46")
    t.match("^# Error", r.text)
    # Read-only.
    t.match("^# Error", update(**{"Properties.System.SerialNumber": "1"}))
    t.equal(update(**{name: was}).strip(), "OK")


def test_J1_param_values_are_data(t):
    c = t.shared()
    name = "Image.I0.Text.String"
    for value in ("a=b&c", "#x", "100%", "a;b", '"q"', "'", "ä€𝄞", " lead and trail ", "$(id)"):
        t.equal(c.update(name, value).text.strip(), "OK", value)
        t.equal(c.param(name), value)
    t.equal(c.update(name, "").text.strip(), "OK")


def test_J1_param_add_remove(t):
    c = t.shared()
    r = c.admin.post(P, web.q(action="add", template="streamprofile", group="StreamProfile",
                              **{"StreamProfile.S.Name": "tiny", "StreamProfile.S.Description": "d",
                                 "StreamProfile.S.Parameters": "videocodec=h264&resolution=320x180"}))
    m = re.match(r"^(S\d+) OK\n?$", r.text)
    t.check(m, r.text)
    group = "StreamProfile." + m.group(1)
    t.equal(c.param(group + ".Name"), "tiny")
    t.equal(c.param(group + ".Parameters"), "videocodec=h264&resolution=320x180")
    profiles = c.viewer.json("/axis-cgi/streamprofile.cgi", "list",
                             {"streamProfileName": [{"name": "tiny"}]})["data"]["streamProfile"]
    t.equal(profiles[0]["parameters"], "videocodec=h264&resolution=320x180")
    t.match(r"^OK\n?$", c.admin.post(P, web.q(action="remove", group=group)).text)
    t.equal(c.param(group + ".Name"), None)
    t.match("^# Request failed: ", c.admin.post(P, web.q(action="remove", group=group)).text)
    t.match("^# Request failed: ", c.admin.post(P, web.q(action="remove", group="Brand")).text)
    t.match("^# Request failed: ", c.admin.post(P, web.q(action="add", template="teapot",
                                                         group="StreamProfile")).text)


def test_J1_param_add_limit(t):
    c = t.camera()
    c.setup(users=False)
    made = listed(c, c.admin, group="StreamProfile").count(".Name=")
    for i in range(40):
        r = c.admin.post(P, web.q(action="add", template="streamprofile", group="StreamProfile",
                                  **{"StreamProfile.S.Name": f"p{i}"}))
        if not re.match(r"^S\d+ OK", r.text):
            t.match("^# Request failed: ", r.text)
            break
        made += 1
    t.equal(made, 26, "MaxGroups")


def test_J1_param_definitions(t):
    c = t.shared()
    r = c.admin.get(P + "?action=listdefinitions&listformat=xmlschema&group=Image.I0.Appearance")
    t.equal(r.get("content-type").split(";")[0], "text/xml")
    root = xml.etree.ElementTree.fromstring(r.body)
    ns = "{http://www.axis.com/ParameterDefinitionsSchema}"
    t.equal(root.tag, ns + "parameterDefinitions")
    found = {p.get("name"): p for p in root.iter(ns + "parameter")}
    compression = found["Compression"]
    kind = compression.find(ns + "type").find(ns + "int")
    t.equal((kind.get("min"), kind.get("max")), ("0", "100"))
    t.match("^[0-7]{4}$", compression.get("securityLevel"))
    t.check(compression.get("value").isdigit())
    groups = [g.get("name") for g in root.iter(ns + "group")]
    t.equal(groups, ["root", "Image", "I0", "Appearance"])
    entries = [e.get("value") for e in found["Rotation"].iter(ns + "entry")]
    t.check("0" in entries, entries)
    # The whole tree is well formed, too.
    r = c.admin.get(P + "?action=listdefinitions&listformat=xmlschema")
    xml.etree.ElementTree.fromstring(r.body)
    t.match("^# (Error|Request failed)", c.admin.get(P + "?action=listdefinitions").text)


def test_J1_param_rights(t):
    """Each parameter has its own rights."""
    c = t.shared()
    t.check(len(listed(c, c.viewer)) < len(listed(c, c.admin)), "a viewer sees everything")
    t.match("^root.Brand.Brand=", listed(c, c.viewer, group="Brand.Brand"))
    for client in (c.viewer, c.ptz):
        r = client.post(P, web.q(action="update", **{"Image.I0.Appearance.Compression": "5"}))
        t.check(r.status in (401, 403) or r.text.startswith("# Error"), r)
    t.check(c.param("Image.I0.Appearance.Compression") != "5")
    r = c.admin.post(P, web.q(action="add", template="streamprofile", group="StreamProfile",
                              **{"StreamProfile.S.Name": "kept"}))
    group = "StreamProfile." + r.text.split()[0]
    r = c.viewer.post(P, web.q(action="remove", group=group))
    t.check(r.status in (401, 403) or r.text.startswith("# "), r)
    t.equal(c.param(group + ".Name"), "kept")
    t.equal(c.admin.post(P, web.q(action="remove", group=group)).text.strip(), "OK")
