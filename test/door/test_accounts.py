"""Accounts, roles and logins (rows A3, A8 as far as they go, J1)."""
import json
import re

import vedette
import web

PWD = "/axis-cgi/pwdgrp.cgi?"


def body(r):
    return re.sub(r"<[^>]*>", "", r.text).strip()


def test_J1_pwdgrp_words(t):
    c = t.camera()
    c.setup(users=False)

    def call(want, client=None, **args):
        r = (client or c.admin).get(PWD + web.q(**args))
        t.equal(r.status, 200, args)
        t.equal(r.get("content-type").split(";")[0], "text/html", args)
        t.match("<body>", r.text)
        t.equal(body(r), want, args)

    call("Created account vera.", action="add", user="vera", pwd="p1", grp="users", sgrp="viewer")
    call("Error: this user name already exists, consult the system log file.", action="add",
         user="vera", pwd="p1", grp="users", sgrp="viewer")
    call("Modified account vera.", action="update", user="vera", pwd="p2")
    t.equal(c.client("vera", "p2").get("/axis-cgi/usergroup.cgi").text, "vera\nusers viewer\n")
    call("Modified account vera.", action="update", user="vera", grp="users", sgrp="operator:viewer:ptz")
    t.equal(c.client("vera", "p2").get("/axis-cgi/usergroup.cgi").text,
            "vera\nusers operator viewer ptz\n")
    call("Removed account vera.", action="remove", user="vera")
    t.equal(c.client("vera", "p2").get("/axis-cgi/usergroup.cgi").status, 401)
    call("Error: account user name.", action="remove", user="")
    for args in ({"action": "dance", "user": "x"}, {"user": "x"}):
        r = c.admin.get(PWD + web.q(**args))
        t.match("^Error: ", body(r), args)
    # The last administrator stays.
    t.match("^Error: ", body(c.admin.get(PWD + "action=remove&user=root")))
    t.equal(c.admin.get("/axis-cgi/usergroup.cgi").status, 200)


def test_J1_pwdgrp_get(t):
    c = t.shared()
    r = c.admin.get(PWD + "action=get")
    t.equal(r.get("content-type").split(";")[0], "text/plain")
    lines = r.body.decode().split("\r\n")
    for want in ('admin="root"', 'operator="root,olof"', 'viewer="root,olof,vera,paul"',
                 'ptz="root,paul"', 'digusers="root,olof,vera,paul"'):
        t.check(want in lines, want, lines)


def test_J1_pwdgrp_names_and_passwords(t):
    c = t.camera()
    c.setup(users=False)
    for user in ("", "a b", "ü", "a:b", 'a"b', "x" * 65, "../x", "a\nb", "<b>"):
        r = c.admin.get(PWD + web.q(action="add", user=user, pwd="p", grp="users", sgrp="viewer"))
        t.check(r.status == 400 or body(r).startswith("Error: "), user, r)
        t.check("<b>" not in r.text, "echoes markup")
    for pwd in ("", "x" * 65, "a\nb", "ü"):
        r = c.admin.get(PWD + web.q(action="add", user="u1", pwd=pwd, grp="users", sgrp="viewer"))
        t.check(r.status == 400 or body(r).startswith("Error: "), pwd, r)
    odd = ' !"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~'
    r = c.admin.get(PWD + web.q(action="add", user="odd", pwd=odd, grp="users", sgrp="viewer"))
    t.equal(body(r), "Created account odd.")
    t.equal(c.client("odd", odd).get("/axis-cgi/usergroup.cgi").status, 200)
    t.equal(c.client("ODD", odd).get("/axis-cgi/usergroup.cgi").status, 401)


def test_J1_usergroup(t):
    c = t.shared()
    for client, want in ((c.admin, "root\nusers admin operator viewer ptz\n"),
                         (c.operator, "olof\nusers operator viewer\n"),
                         (c.viewer, "vera\nusers viewer\n"), (c.ptz, "paul\nusers viewer ptz\n")):
        r = client.get("/axis-cgi/usergroup.cgi")
        t.equal(r.get("content-type").split(";")[0], "text/plain")
        t.equal(r.text, want)


ROLES = {"anyone": {"anon", "viewer", "ptz", "operator", "admin"},
         "user": {"viewer", "ptz", "operator", "admin"},
         "viewer": {"viewer", "ptz", "operator", "admin"}, "ptz": {"ptz", "admin"},
         "operator": {"operator", "admin"}, "admin": {"admin"}}


def routes(c):
    r = c.admin.get("/vedette/routes")
    assert r.status == 200, r
    return r.json


def test_SEC_02_routes_are_the_gate(t):
    """Every row of the printed table, with every kind of user: exactly the table."""
    c = t.shared()
    rows = routes(c)
    paths = {r["path"] for r in rows}
    for need in ("/axis-cgi/param.cgi", "/axis-cgi/com/ptz.cgi", "/axis-cgi/pwdgrp.cgi",
                 "/axis-cgi/usergroup.cgi", "/axis-cgi/jpg/image.cgi", "/axis-cgi/mjpg/video.cgi",
                 "/axis-cgi/apidiscovery.cgi", "/axis-cgi/basicdeviceinfo.cgi",
                 "/axis-cgi/systemready.cgi", "/axis-cgi/rtspwssession.cgi", "/axis-cgi/imagesize.cgi",
                 "/axis-cgi/streamprofile.cgi", "/axis-cgi/time.cgi", "/rtsp-over-websocket",
                 "/vedette/ws", "/vedette/routes", "/vedette/stage/truth", "/vedette/stage/clock"):
        t.check(need in paths, f"{need} is not in the table")
    http = {"GET", "POST", "PUT", "PATCH", "DELETE"}
    for row in rows:
        if row["path"].endswith("/*") or row["path"] in ("/vedette/login", "/vedette/logout"):
            continue  # the page's own login is over TLS only: test_web_login_cookie
        if row["path"].endswith("/restart.cgi"):
            continue  # test_B1_save_and_restart
        for who in ("anon", "viewer", "ptz", "operator", "admin"):
            for method in set(row["methods"]) & http:
                user = None if who == "anon" else vedette.ADMIN if who == "admin" else \
                    vedette.USERS[who][:2]
                client = c.client(*(user or (None, None)), timeout=20)
                if user:
                    client.get("/axis-cgi/usergroup.cgi")  # a nonce
                target = row["path"]
                data = b"{}" if method == "POST" else b""
                client.send(method, target, data, client.authorization(method, target))
                # A picture's own answer may have to wait for a picture: then it was let in.
                if not client.conn.readable(3):
                    status = 200
                else:
                    status = client.conn.head().status
                client.close()
                allowed = who in ROLES[row["role"]]
                if who == "anon":
                    t.check((status != 401) == allowed, who, method, target, status, row)
                else:
                    t.check((status not in (401, 403)) == allowed, who, method, target, status, row)
    c.close_clients()


test_SEC_02_routes_are_the_gate.seconds = 240


def test_SEC_02_doc_of_rows(t):
    for row in routes(t.shared()):
        t.check(row["doc"], row["path"])


def test_SEC_03_unknown_paths(t):
    c = t.shared()
    for path in ("/axis-cgi/nosuch.cgi", "/axis-cgi/", "/axis-cgi", "/vedette/nosuch"):
        t.equal(c.anon.get(path).status, 401, path)
        r = c.admin.get(path)
        t.equal(r.status, 404, path)
        t.match("text/html", r.get("content-type"))


def test_A8_digest_challenge(t):
    c = t.shared()
    r = c.anon.get("/axis-cgi/param.cgi?action=list")
    t.equal(r.status, 401)
    t.match("text/html", r.get("content-type"))
    lines = r.all("www-authenticate")
    serial = c.param("Properties.System.SerialNumber")
    t.equal(len(lines), 2, lines)
    t.match(rf'^Digest realm="AXIS_{serial}", nonce="[0-9a-f]+", stale=FALSE, qop="auth", '
            r'algorithm=SHA-256$', lines[0])
    t.match(rf'^Digest realm="AXIS_{serial}", nonce="[0-9a-f]+", stale=FALSE, qop="auth", '
            r'algorithm=MD5$', lines[1])
    nonces = {ch["nonce"] for _, ch in web.challenges(r)}
    t.equal(len(nonces), 1, "both carry the same nonce")


def test_A8_digest_forms(t):
    c = t.shared()
    target = "/axis-cgi/param.cgi?action=list&group=Brand"
    for algorithm in ("MD5", "SHA-256"):
        t.equal(c.client(*vedette.ADMIN, algorithm=algorithm).get(target).status, 200, algorithm)

    def fresh(algorithm="MD5"):
        client = c.client()
        r = client.get(target)
        return client, next(ch for _, ch in web.challenges(r)
                            if ch.get("algorithm", "MD5") == algorithm)

    def answer(client, ch, uri=target, **kw):
        head = web.digest_header("GET", uri, *vedette.ADMIN, ch, **kw)
        return client.get(target, headers=[("Authorization", head)])

    client, ch = fresh()
    t.equal(answer(client, ch, qop=False).status, 200, "RFC 2069 form")
    client, ch = fresh()
    t.equal(answer(client, ch, uri="/axis-cgi/param.cgi").status, 200, "path-only uri")
    client, ch = fresh()
    for i in range(3):  # some clients always say nc=1, with a new cnonce
        t.equal(answer(client, ch, nc=1).status, 200, f"nc=1, time {i}")
    client, ch = fresh()
    t.equal(answer(client, ch, uri="/axis-cgi/usergroup.cgi").status, 401, "other uri")
    t.equal(answer(c.client(), {**ch, "nonce": "0" * 32}).status, 401, "invented nonce")


def test_A8_basic_unasked(t):
    """On plain HTTP Basic counts as nothing at all; over TLS it is a login."""
    c = t.shared()
    head = [("Authorization", web.basic_header(*vedette.ADMIN))]
    r = c.anon.get("/axis-cgi/usergroup.cgi", headers=head)
    t.equal(r.status, 401)
    t.check("Basic" not in {s for s, _ in web.challenges(r)}, r.headers)
    t.equal(c.client(tls=True).get("/axis-cgi/usergroup.cgi", headers=head).status, 200)
    wrong = [("Authorization", web.basic_header("root", "no"))]
    t.equal(c.client(tls=True).get("/axis-cgi/usergroup.cgi", headers=wrong).status, 401)


def test_A8_policy_md5_only(t):
    """The parameter that offers MD5 alone, for clients that know no other."""
    c = t.camera()
    c.setup(users=False)
    t.equal(c.update("Network.HTTP.DigestAlgorithms", "md5").text.strip(), "OK")
    algorithms = [ch.get("algorithm", "MD5") for s, ch in
                  web.challenges(c.anon.get("/axis-cgi/param.cgi"))]
    t.equal(algorithms, ["MD5"])
    t.equal(c.client(*vedette.ADMIN, algorithm="MD5").get("/axis-cgi/usergroup.cgi").status, 200)


def test_A8_password_change_ends_access(t):
    c = t.camera(clock="real")
    c.setup()
    viewer = c.client("vera", vedette.USERS["viewer"][1])
    t.equal(viewer.get("/axis-cgi/usergroup.cgi").status, 200)
    r = c.admin.get(PWD + web.q(action="update", user="vera", pwd="new.Password"))
    t.match("Modified account vera", r.text)
    viewer.challenge = viewer.challenge  # the old nonce and the old password
    t.equal(viewer.get("/axis-cgi/usergroup.cgi").status, 401)
    t.equal(c.client("vera", "new.Password").get("/axis-cgi/usergroup.cgi").status, 200)


def test_web_login_cookie(t):
    """The page's own login: a cookie over TLS only, gone after logout."""
    c = t.shared()
    tls = c.client(tls=True)
    good = json.dumps({"user": vedette.ADMIN[0], "password": vedette.ADMIN[1]})
    r = tls.post("/vedette/login", good, type="application/json")
    t.equal(r.status, 200, r)
    cookie = r.get("set-cookie")
    for word in ("HttpOnly", "Secure", "SameSite=Strict"):
        t.match(word, cookie)
    head = [("Cookie", cookie.split(";")[0])]
    t.equal(tls.get("/axis-cgi/usergroup.cgi", headers=head).status, 200)
    t.equal(c.anon.get("/axis-cgi/usergroup.cgi", headers=head).status, 401, "cookie on plain HTTP")
    r = tls.post("/vedette/logout", "", headers=head)
    t.check(r.status in (200, 204), r)
    t.equal(tls.get("/axis-cgi/usergroup.cgi", headers=head).status, 401, "after logout")
    bad = json.dumps({"user": "root", "password": "no"})
    r = tls.post("/vedette/login", bad, type="application/json")
    t.check(r.status in (401, 403), r)
    t.check(not r.get("set-cookie"), r.headers)
