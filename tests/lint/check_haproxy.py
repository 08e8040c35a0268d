"""deploy/haproxy.cfg is read by haproxy without a warning, and does what it promises: run on free ports in front of a small server, with certificates made here.

A client certificate is demanded on the partners' port and handed over as base64 DER; a header from outside is deleted on both; a stranger's certificate and
none are refused; a signature header of 12 KiB comes through whole.
"""
import base64
import http.server
import os
import re
import shutil
import socketserver
import subprocess
import sys
import tempfile
import threading
import time

from lint import Tree, free_ports

CONFIG = "deploy/haproxy.cfg"
HEADER = "X-Client-Certificate"
SIGNATURE_BYTES = 12 * 1024


def openssl(*words):
    subprocess.run(["openssl", *words], check=True, capture_output=True)


def make_certificate(folder, name, issuer=None):
    key, crt = f"{folder}/{name}.key", f"{folder}/{name}.crt"
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key)
    words = ["-days", "2", "-subj", f"/CN={name}", "-key", key, "-out", crt]
    if issuer is None:
        openssl("req", "-x509", "-new", "-addext", "basicConstraints=critical,CA:TRUE", *words)
    else:
        request = f"{folder}/{name}.csr"
        openssl("req", "-new", "-subj", f"/CN={name}", "-key", key, "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", f"{folder}/{issuer}.crt", "-CAkey", f"{folder}/{issuer}.key", "-CAcreateserial", "-days", "2", "-out", crt)


class Backend(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen = []

    def do_GET(self):
        if self.path != "/readyz":
            Backend.seen.append(self.headers)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *words):
        pass

    def address_string(self):
        return "proxy"


class UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


class TcpServer(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True


def moved(text, folder, ports):
    """The same configuration with its paths and ports in a folder of ours, and without another user."""
    text = text.replace("/etc/claimgate/tls/", folder + "/").replace("/run/claimgate/", folder + "/")
    text = text.replace("bind :8443", f"bind 127.0.0.1:{ports['partners']}").replace("bind :443", f"bind 127.0.0.1:{ports['persons']}")
    text = text.replace("port 9464", f"port {ports['ops']}")
    text = re.sub(r"^\s+(user|group) haproxy\n", "", text, flags=re.M)
    # A port that somebody else took in between is an error then, and not shared with him.
    return text.replace("global\n", "global\n    noreuseport\n", 1)


def curl(folder, port, *words):
    run = subprocess.run(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "10", "--noproxy", "*", "--cacert", f"{folder}/server-ca.crt", "--connect-to",
                          f"server:443:127.0.0.1:{port}", "https://server/v1/claims", *words], capture_output=True, text=True)
    return run.stdout


def der_of(folder, name):
    text = open(f"{folder}/{name}.crt").read()
    return base64.b64decode("".join(text.split("-----")[2].split()))


def ask(tree, what, want, folder, port, *words):
    """One request; the headers that the gateway would see, None when it did not get through."""
    Backend.seen.clear()
    status = curl(folder, port, *words)
    if status != want:
        tree.find(CONFIG, 1, f"{what}: answer {status}, expected {want}")
    return Backend.seen[0] if Backend.seen else None


def check_behaviour(tree, folder, ports):
    forged = ("-H", f"{HEADER}: forged", "-H", "x-client-certificate: forged again")
    good = ("--cert", f"{folder}/h1.crt", "--key", f"{folder}/h1.key")
    rogue = ("--cert", f"{folder}/rogue.crt", "--key", f"{folder}/rogue.key")
    seen = ask(tree, "certificate of a partner", "200", folder, ports["partners"], *good, *forged, "-H", "X-JWS-Signature: " + "s" * SIGNATURE_BYTES)
    if seen is not None:
        if seen.get_all(HEADER) != [base64.b64encode(der_of(folder, "h1")).decode()]:
            tree.find(CONFIG, 1, "the gateway does not get exactly the partner's certificate")
        if len(seen.get("X-JWS-Signature", "")) != SIGNATURE_BYTES:
            tree.find(CONFIG, 1, "a signature of 12 KiB does not come through")
    for what, words in (("no certificate", ()), ("a stranger's certificate", rogue)):
        if ask(tree, what, "000", folder, ports["partners"], *words, *forged) is not None:
            tree.find(CONFIG, 1, f"{what} reaches the gateway on the partners' port")
    seen = ask(tree, "a person", "200", folder, ports["persons"], *forged)
    if seen is not None and seen.get_all(HEADER):
        tree.find(CONFIG, 1, "a header from outside reaches the gateway")


def wait_for_backend(folder, ports, proxy):
    for _ in range(100):
        if curl(folder, ports["persons"]) == "200":
            return True
        if proxy.poll() is not None:
            return False
        time.sleep(0.1)
    return False


def make_certificates(folder):
    for name, issuer in (("server-ca", None), ("server", "server-ca"), ("clients-ca", None), ("h1", "clients-ca"), ("rogue-ca", None), ("rogue", "rogue-ca")):
        make_certificate(folder, name, issuer)
    shutil.copy(f"{folder}/clients-ca.crt", f"{folder}/clients-ca.pem")
    with open(f"{folder}/server.pem", "w") as out:
        out.write(open(f"{folder}/server.crt").read() + open(f"{folder}/server.key").read())


def run_once(tree, haproxy, folder):
    """False when the proxy did not start: somebody took one of its ports in between."""
    ports = free_ports(("partners", "persons", "ops"))
    path = f"{folder}/haproxy.cfg"
    open(path, "w").write(moved(tree.text(CONFIG), folder, ports))
    run = subprocess.run([haproxy, "-c", "-f", path], capture_output=True, text=True)
    if run.returncode or re.search(r"\[(WARNING|ALERT)\]", run.stderr):
        tree.find(CONFIG, 1, "haproxy -c: " + run.stderr.strip())
        return True
    servers = [UnixServer(f"{folder}/http.sock", Backend), TcpServer(("127.0.0.1", ports["ops"]), Backend)]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    proxy = subprocess.Popen([haproxy, "-db", "-f", path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        started = wait_for_backend(folder, ports, proxy)
        if started:
            check_behaviour(tree, folder, ports)
        return started
    finally:
        proxy.terminate()
        proxy.wait(10)
        for server in servers:
            server.shutdown()
            server.server_close()
        os.unlink(f"{folder}/http.sock")


def main():
    tree = Tree()
    haproxy = shutil.which("haproxy") or ("/usr/sbin/haproxy" if os.path.exists("/usr/sbin/haproxy") else None)
    if not haproxy or not shutil.which("curl") or not shutil.which("openssl"):
        tree.skip("haproxy, curl or openssl is not installed")
    with tempfile.TemporaryDirectory() as folder:
        make_certificates(folder)
        if not any(run_once(tree, haproxy, folder) for _ in range(3)):
            tree.find(CONFIG, 1, "nothing comes through")
    tree.done("haproxy")


if __name__ == "__main__":
    sys.exit(main())
