"""A code host for tests: git over https, with passwords, redirects and failures on demand.

Arguments: folder of repositories, certificate (with key), file with the password. Prints its port, then one line for each request.
First segment of a path: `plain`, `private` (needs the password), `moved`, `failing` (503 twice, then
well), `down` (always 503), `slow` (waits before each answer),
`old` (speaks only the protocol that gives out what branches and tags name), `echo` (as private, and a wrong answer repeats what it was sent).
"""
import base64, http.server, os, ssl, subprocess, sys, time

folder, certificate, password_file = sys.argv[1:]
with open(password_file) as file:
    PASSWORD = file.read().strip()
failures = {}


def leaks():
    """Processes in whose arguments or environment the password stands, while git is asking."""
    forms = [PASSWORD.encode(), base64.b64encode(b"token:" + PASSWORD.encode())]
    found = []
    for process in filter(str.isdigit, os.listdir("/proc")):
        for part in ("cmdline", "environ"):
            try:
                with open(f"/proc/{process}/{part}", "rb") as file:
                    text = file.read()
            except OSError:
                continue
            if any(form in text for form in forms):
                found.append(part)
    return found


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *words):
        pass

    def answer(self, code, body=b"", **headers):
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def serve(self):
        length = int(self.headers.get("Content-Length") or 0)
        if self.headers.get("Transfer-Encoding", "") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(length)
        path, _, query = self.path.partition("?")
        kind, _, rest = path.lstrip("/").partition("/")
        auth = self.headers.get("Authorization", "")
        for part in leaks() if kind == "private" and auth else []:
            print("LEAK", part, flush=True)
        print(self.command, self.path, "with" if auth else "without", flush=True)
        if kind == "moved":
            return self.answer(301, Location=self.path.replace("/moved/", "/plain/"))
        if kind == "down":
            return self.answer(503)
        if kind == "slow":
            time.sleep(0.3)
        if kind == "failing":
            failures[rest] = failures.get(rest, 0) + 1
            if failures[rest] <= 2:
                return self.answer(503)
        if kind in ("private", "echo"):
            if not auth:
                return self.answer(401, WWW_Authenticate='Basic realm="code"')
            password = base64.b64decode(auth.split(" ", 1)[1]).decode().partition(":")[2]
            if kind == "echo":
                text = f"you sent {auth} which is {password}\n".encode()
                return self.answer(403, text, Content_Type="text/plain")
            if password != PASSWORD:
                return self.answer(401, WWW_Authenticate='Basic realm="code"')
        env = {
            "PATH": os.environ["PATH"],
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROJECT_ROOT": folder,
            "PATH_INFO": "/" + rest,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": "" if kind == "old" else self.headers.get("Git-Protocol", ""),
            "REMOTE_ADDR": "127.0.0.1",
        }
        done = subprocess.run(["git", "http-backend"], input=body, env=env, stdout=subprocess.PIPE)
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
        code = int(headers.pop("Status", "200").split()[0])
        headers = {name.replace("-", "_"): value for name, value in headers.items()}
        self.answer(code, body, **headers)

    do_GET = do_POST = serve


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate)
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
server.serve_forever()
