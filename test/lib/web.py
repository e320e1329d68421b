"""HTTP as a test wants it: every byte in sight, one connection, Digest by hand.

Nothing here is shared with the camera's own code, so that a misunderstanding on
one side shows. Only the standard library."""
import base64
import hashlib
import json
import os
import re
import socket
import ssl
import struct
import urllib.parse

HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}


class Closed(Exception):
    """The other side closed before the message was whole."""


def h(algorithm, text):
    return HASHES[algorithm](text.encode("latin-1", "surrogateescape")).hexdigest()


def challenges(reply):
    """[(scheme, {name: value})] of all WWW-Authenticate headers, in order."""
    found = []
    for value in reply.all("www-authenticate"):
        scheme, _, rest = value.partition(" ")
        items = re.findall(r'(\w+)=(?:"([^"]*)"|([^\s,]+))', rest)
        found.append((scheme, {k.lower(): a or b for k, a, b in items}))
    return found


def digest_header(method, uri, user, password, ch, nc=1, cnonce=None, qop=True, algorithm=None):
    """An Authorization value that answers the challenge `ch`."""
    algorithm = algorithm or ch.get("algorithm", "MD5")
    cnonce = cnonce or os.urandom(8).hex()
    ha1 = h(algorithm, f'{user}:{ch["realm"]}:{password}')
    ha2 = h(algorithm, f"{method}:{uri}")
    head = (f'Digest username="{user}", realm="{ch["realm"]}", nonce="{ch["nonce"]}", uri="{uri}"')
    if qop and "qop" in ch:
        resp = h(algorithm, f'{ha1}:{ch["nonce"]}:{nc:08x}:{cnonce}:auth:{ha2}')
        tail = f', qop=auth, nc={nc:08x}, cnonce="{cnonce}"'
    else:
        resp = h(algorithm, f'{ha1}:{ch["nonce"]}:{ha2}')
        tail = ""
    if "algorithm" in ch:
        tail += f", algorithm={algorithm}"
    if "opaque" in ch:
        tail += f', opaque="{ch["opaque"]}"'
    return f'{head}, response="{resp}"{tail}'


def basic_header(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


class Reply:
    def __init__(self, version, status, reason, headers, body=b""):
        self.version, self.status, self.reason = version, status, reason
        self.headers, self.body = headers, body

    def all(self, name):
        return [v for k, v in self.headers if k.lower() == name.lower()]

    def get(self, name, default=None):
        found = self.all(name)
        return found[0] if found else default

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.reason} {self.get('content-type')} {self.body[:200]!r}>"


class Conn:
    """One TCP or TLS connection with a read buffer."""

    def __init__(self, host, port, tls=False, timeout=30, source=None):
        self.sock = socket.create_connection((host, port), timeout=timeout,
                                             source_address=source)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            context = tls if isinstance(tls, ssl.SSLContext) else tls_context()
            self.sock = context.wrap_socket(self.sock, server_hostname=host)
        self.buf = b""

    def send(self, data):
        self.sock.sendall(data)

    def fill(self):
        data = self.sock.recv(65536)
        if not data:
            raise Closed(f"closed with {len(self.buf)} bytes unread: {self.buf[:200]!r}")
        self.buf += data

    def until(self, mark, limit=1 << 20):
        while mark not in self.buf:
            if len(self.buf) > limit:
                raise ValueError(f"no {mark!r} within {limit} bytes")
            self.fill()
        head, _, self.buf = self.buf.partition(mark)
        return head

    def exactly(self, n):
        while len(self.buf) < n:
            self.fill()
        data, self.buf = self.buf[:n], self.buf[n:]
        return data

    def rest(self, timeout=5):
        """Everything until the other side closes; what came so far on a time-out."""
        self.sock.settimeout(timeout)
        try:
            while True:
                self.fill()
        except (Closed, OSError):
            data, self.buf = self.buf, b""
            return data

    def closed_within(self, seconds):
        """True once the peer has closed; data that still comes is thrown away."""
        self.sock.settimeout(seconds)
        try:
            while self.sock.recv(65536):
                pass
            return True
        except (ConnectionError, ssl.SSLError):
            return True
        except TimeoutError:
            return False

    def readable(self, seconds):
        if self.buf:
            return True
        import select
        if isinstance(self.sock, ssl.SSLSocket) and self.sock.pending():
            return True
        return bool(select.select([self.sock], [], [], seconds)[0])

    def close(self):
        try:
            self.sock.close()
        except OSError:
            pass

    def head(self):
        """Start line and headers of one message."""
        lines = self.until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        while lines and not lines[0]:
            lines.pop(0)
        headers = []
        for line in lines[1:]:
            k, sep, v = line.partition(":")
            if not sep:
                raise ValueError(f"header without colon: {line!r}")
            headers.append((k, v.strip()))
        version, status, reason = (lines[0].split(" ", 2) + [""])[:3]
        return Reply(version, int(status), reason, headers)

    def reply(self, method="GET"):
        r = self.head()
        if method == "HEAD" or r.status in (101, 204, 304) or 100 <= r.status < 200:
            return r
        if "chunked" in (r.get("transfer-encoding") or ""):
            while True:
                n = int(self.until(b"\r\n").split(b";")[0], 16)
                r.body += self.exactly(n)
                self.exactly(2)
                if not n:
                    return r
        length = r.get("content-length")
        if length is not None:
            r.body = self.exactly(int(length))
        elif (r.get("content-type") or "").startswith("multipart/"):
            pass  # endless; the caller reads on
        elif r.version.startswith("HTTP"):
            r.body = self.rest()
        return r


def tls_context(verify=None, lowest=ssl.TLSVersion.TLSv1_2, highest=None):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    c.check_hostname = False
    c.verify_mode = ssl.CERT_NONE
    if verify:
        c.load_verify_locations(cadata=verify)
        c.verify_mode = ssl.CERT_REQUIRED
    c.minimum_version = lowest
    if highest:
        c.maximum_version = highest
    return c


def request_bytes(method, target, body=b"", headers=(), version="HTTP/1.1", host="127.0.0.1"):
    lines = [f"{method} {target} {version}"]
    names = {k.lower() for k, _ in headers}
    if "host" not in names:
        lines.append(f"Host: {host}")
    lines += [f"{k}: {v}" for k, v in headers]
    if (body or method in ("POST", "PUT", "PATCH")) and not names & {"content-length",
                                                                     "transfer-encoding"}:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


class Client:
    """Somebody at the camera's web port. user None: nobody. Keeps its connection
    and its nonce, as a polite client does."""

    def __init__(self, port, user=None, password=None, tls=False, host="127.0.0.1",
                 algorithm="SHA-256", timeout=60):
        self.host, self.port, self.tls, self.timeout = host, port, tls, timeout
        self.user, self.password, self.algorithm = user, password, algorithm
        self.conn, self.challenge, self.nc = None, None, 0

    def close(self):
        if self.conn:
            self.conn.close()
        self.conn = None

    def connect(self):
        if not self.conn:
            self.conn = Conn(self.host, self.port, self.tls, self.timeout)
        return self.conn

    def pick(self, reply):
        """The strongest Digest challenge that we are willing to use."""
        offered = {c.get("algorithm", "MD5"): c for s, c in challenges(reply) if s == "Digest"}
        for wish in (self.algorithm, "MD5"):
            if wish in offered:
                return offered[wish]
        return None

    def renew(self, reply, known=True):
        """Takes the challenge of a 401: a first one, or a new one for a nonce that is too old by now."""
        fresh = self.pick(reply) if reply.status == 401 else None
        if not fresh or (known and fresh.get("stale", "").upper() != "TRUE"):
            return False
        self.challenge, self.nc = fresh, 0
        return True

    def authorization(self, method, target):
        if not self.challenge:
            return []
        self.nc += 1
        return [("Authorization", digest_header(method, target, self.user, self.password,
                                                self.challenge, self.nc))]

    def send(self, method, target, body=b"", headers=()):
        self.connect().send(request_bytes(method, target, body, list(headers), host=self.host))

    def once(self, method, target, body=b"", headers=()):
        """One request, one reply; again only when a kept connection was gone."""
        for again in (True, False):
            fresh = self.conn is None
            try:
                self.send(method, target, body, headers)
                r = self.conn.reply(method)
                break
            except (Closed, ConnectionError, ssl.SSLError):
                self.close()
                if fresh or not again:
                    raise
        if (r.get("connection") or "").lower() == "close" or (
                r.version == "HTTP/1.0" and (r.get("connection") or "").lower() != "keep-alive"):
            if not (r.get("content-type") or "").startswith("multipart/"):
                self.close()
        return r

    def call(self, method, target, body=b"", headers=(), login=True):
        if isinstance(body, str):
            body = body.encode()
        login = login and self.user is not None
        auth = self.authorization(method, target) if login else []
        r = self.once(method, target, body, [*headers, *auth])
        if login and self.renew(r, known=bool(auth)):
            r = self.once(method, target, body, [*headers, *self.authorization(method, target)])
        return r

    def get(self, target, **kw):
        return self.call("GET", target, **kw)

    def post(self, target, body=b"", type=None, **kw):
        headers = list(kw.pop("headers", ()))
        if type:
            headers.append(("Content-Type", type))
        return self.call("POST", target, body, headers=headers, **kw)

    def json(self, target, method=None, params=None, context="c", version="1.0", **kw):
        """A call of a JSON CGI; the whole envelope comes back."""
        body = {"context": context}
        if version:
            body["apiVersion"] = version
        if method:
            body["method"] = method
        if params is not None:
            body["params"] = params
        r = self.post(target, json.dumps(body), type="application/json", **kw)
        if r.status != 200:
            raise AssertionError(f"{target} {method}: {r}")
        return r.json


def q(**args):
    return urllib.parse.urlencode(args)


class WebSocket:
    """A client of RFC 6455: masked frames, whole messages."""

    def __init__(self, client, target, protocol=None, headers=(), login=True):
        key = base64.b64encode(os.urandom(16)).decode()
        extra = [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Key", key),
                 ("Sec-WebSocket-Version", "13"), *headers]
        if protocol:
            extra.append(("Sec-WebSocket-Protocol", protocol))
        self.reply = client.call("GET", target, headers=extra, login=login)
        self.conn, client.conn = client.conn, None
        self.open = self.reply.status == 101
        self.message = b""
        if self.open:
            want = base64.b64encode(hashlib.sha1(
                (key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()
            assert self.reply.get("sec-websocket-accept") == want, self.reply.headers

    def send(self, data, opcode=None, fin=True, mask=True):
        if opcode is None:
            opcode = 1 if isinstance(data, str) else 2
        if isinstance(data, str):
            data = data.encode()
        n = len(data)
        head = bytes([(0x80 if fin else 0) | opcode])
        bit = 0x80 if mask else 0
        if n < 126:
            head += bytes([bit | n])
        elif n < 65536:
            head += bytes([bit | 126]) + struct.pack(">H", n)
        else:
            head += bytes([bit | 127]) + struct.pack(">Q", n)
        if mask:
            key = os.urandom(4)
            data = bytes(b ^ key[i & 3] for i, b in enumerate(data))
            head += key
        self.conn.send(head + data)

    def frame(self):
        """(fin, opcode, payload)"""
        a, b = self.conn.exactly(2)
        assert not b & 0x80, "a server must not mask"
        n = b & 0x7f
        if n == 126:
            n, = struct.unpack(">H", self.conn.exactly(2))
        elif n == 127:
            n, = struct.unpack(">Q", self.conn.exactly(8))
        return bool(a & 0x80), a & 0x0f, self.conn.exactly(n)

    def receive(self, timeout=30):
        """The next whole text (str) or binary (bytes) message; None when closed."""
        self.conn.sock.settimeout(timeout)
        parts, kind = b"", None
        while True:
            try:
                fin, op, data = self.frame()
            except (Closed, ConnectionError):
                return None
            if op == 8:
                self.close_code = struct.unpack(">H", data[:2])[0] if len(data) >= 2 else None
                return None
            if op == 9:
                self.send(data, opcode=10)
                continue
            if op == 10:
                continue
            kind = op or kind
            parts += data
            if fin:
                return parts.decode() if kind == 1 else parts

    def close(self):
        self.conn.close()
