"""The admin API asked for anything its own OpenAPI document allows, and for much that it does not, by schemathesis.

Takes the program; starts its demo, signs in, and fuzzes for a while with a session and with a token. Fails on any 5xx that
is no declared refusal, and on any answer that the document does not declare. Ends with "openapi: N passed, M failed".
"""

import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import urllib.parse

program, seconds = os.path.abspath(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "60"
# What would end the session that asks, answers without end, or has guesses counted against the address that all come from.
LEFT_OUT = ["session.delete", "session.all.delete", "session.post", "session.reauthenticate", "session.password", "events", "setup.post", "registration.report"]
CASES_MIN = 500
CHECKS = "status_code_conformance,content_type_conformance,response_schema_conformance,not_a_server_error"


def asked(site, method, path, body=None, headers=None):
    at = urllib.parse.urlsplit(site["http"])
    line = http.client.HTTPConnection(at.hostname, at.port, timeout=30)
    line.request(method, path, json.dumps(body) if body is not None else None, {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/json", **(headers or {})})
    answer = line.getresponse()
    return answer.status, answer.getheader("set-cookie"), answer.read()


def fuzz(site, name, headers):
    command = [os.path.join(os.path.dirname(sys.executable), "schemathesis"), "run", site["http"] + "/admin/api/v1/openapi.json"]
    command += ["--checks", CHECKS, "--max-time", seconds, "--workers", "2", "--continue-on-failure", "--no-color", "--phases", "examples,coverage,fuzzing"]
    for left_out in LEFT_OUT:
        command += ["--exclude-operation-id", left_out]
    for header, value in headers.items():
        command += ["-H", f"{header}: {value}"]
    print(f"--- {name}", flush=True)
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, cwd=tempfile.gettempdir())
    print(done.stdout, flush=True)
    # Its own mishaps (a recursion of Python's parser) are not the API's: what counts is what it found, in so many cases.
    cases = re.search(r"(\d+) generated", done.stdout)
    return cases is not None and int(cases[1]) >= CASES_MIN and "\nFailures:" not in done.stdout


def caller(name, login):
    # One demo each: who asks with broken tokens is kept out for a while, address and all.
    demo = subprocess.Popen([program, "demo", "--devices", "2", "--json"], stdout=subprocess.PIPE, text=True)
    try:
        site = json.loads(demo.stdout.readline())
        return fuzz(site, name, login(site))
    finally:
        demo.terminate()


def session(site):
    status, cookie, _ = asked(site, "POST", "/admin/api/v1/session", {"user": site["user"], "password": site["password"]})
    assert status == 200, status
    return {"Cookie": cookie.split(";")[0], "Sec-Fetch-Site": "same-origin"}


def main():
    held = [caller("a person", session), caller("a token", lambda site: {"Authorization": f"Bearer {site['token']}"})]
    print(f"openapi: {sum(held)} passed, {len(held) - sum(held)} failed")
    sys.exit(0 if all(held) else 1)


main()
