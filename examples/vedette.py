"""A virtual camera of one's own for tests in Python: starts it, asks it, takes its pictures, stops it.

Needs Python and nothing else. $VEDETTECTL: the program, if it is not build/cli/vedettectl."""
import base64, json, os, ssl, subprocess, tempfile, urllib.request

LOGIN = "root:Correct-horse-7"


class Camera:
    """In simulated time it stands still but for advance() and pictures(). Use with `with`."""

    def __init__(self, source="virtual", clock="sim"):
        self.folder = tempfile.mkdtemp(prefix="camera-")
        start = "start", "1", "--first-port", "0", "--clock", clock, "--source", source
        self.ports = self._fleet(*start)["cameras"][0]  # "http", "https", "rtsp": their addresses

    def _fleet(self, *words):
        program = os.environ.get("VEDETTECTL", "build/cli/vedettectl")
        command = [program, "--json", "-u", LOGIN, "fleet", *words, "--dir", self.folder]
        return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._fleet("stop", "--all")

    def open(self, path, body=None):
        """The answer to a GET, or to a POST of the body as JSON. The certificate is the camera's own."""
        login = {"Authorization": "Basic " + base64.b64encode(LOGIN.encode()).decode()}
        request = urllib.request.Request(self.ports["https"] + path, body and json.dumps(body).encode(), login)
        return urllib.request.urlopen(request, context=ssl._create_unverified_context())

    def ask(self, path, body=None):
        """What open() gets: JSON as Python has it, all else as bytes."""
        with self.open(path, body) as answer:
            data = answer.read()
            return json.loads(data) if answer.headers.get_content_type() == "application/json" else data

    def advance(self, seconds):
        """Lets time go on; what is due is done then, and pictures are sent."""
        return self.ask("/vedette/stage/clock", {"advance": seconds})

    def pictures(self, seconds, fps, resolution):
        """JPEGs one after the other, while time goes on."""
        with self.open(f"/axis-cgi/mjpg/video.cgi?resolution={resolution}&fps={fps}") as stream:
            for _ in range(round(seconds * fps)):
                self.advance(1 / fps)
                while (line := stream.readline()) != b"\r\n":
                    length = int(line.split()[1]) if line.startswith(b"Content-Length") else 0
                yield stream.read(length)
                stream.readline()
