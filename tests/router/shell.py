"""SSH: passwords and keys, one command line for each channel, text on stdout and exit status 0 whatever happened."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading

import asyncssh
import evaluate
import language
import values as v
from values import Refused


class Server(asyncssh.SSHServer):
    """One connection's login."""

    def __init__(self, shell: Shell, record: dict) -> None:
        self.shell, self.record = shell, record

    def user_row(self, name: str) -> dict | None:
        tables = self.shell.router.tables
        name = name.split("+")[0]
        row = tables.find("/user", name=name)
        if not row or row.get("disabled") == "true" or not v.allowed(row.get("address", ""), self.record["remote"]) or "ssh" not in self.shell.policies(row):
            return None
        return row

    def begin_auth(self, username: str) -> bool:
        self.record["tried"] = username
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        row, tables = self.user_row(username), self.shell.router.tables
        if row is None:
            return False
        newer = tables.one("/ip/ssh").get("password-authentication", "yes-if-no-key")
        older = tables.one("/ip/ssh").get("always-allow-password-login") == "true"
        keyed = tables.find("/user/ssh-keys", user=row["name"]) is not None
        if newer == "no" or (keyed and newer != "yes" and not older):
            return False
        if row["password"] != password:
            return False
        self.entered(row)
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        row = self.user_row(username)
        held = [one["_key"] for one in self.shell.router.tables.stored("/user/ssh-keys") if row and one["user"] == row["name"]]
        if key.export_public_key().split()[:2] not in [one.encode().split()[:2] for one in held]:
            return False
        self.entered(row)
        return True

    def entered(self, row: dict) -> None:
        self.record["user"], self.record["group"] = row["name"], row["group"]


class Shell:
    """The SSH server of one router, on an event loop of its own."""

    def __init__(self, router, host_key: asyncssh.SSHKey) -> None:
        self.router, self.key = router, host_key
        self.commands: list[str] = []
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.run_loop, daemon=True).start()
        router.shell = self
        router.doors.serve("ssh", self.serve)

    def run_loop(self) -> None:
        """Until `close`. What is under way then is let go."""
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()
        left = asyncio.all_tasks(self.loop)
        for one in left:
            one.cancel()
        self.loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        self.loop.close()

    def close(self) -> None:
        """The end of this server: a run of many routers has no descriptors to spare."""
        self.loop.call_soon_threadsafe(self.loop.stop)

    def policies(self, row: dict) -> set[str]:
        """What a user may now."""
        group = self.router.tables.find("/user/group", name=row["group"])
        return {one for one in group["policy"].split(",") if not one.startswith("!")}

    def serve(self, made, record: dict) -> None:
        """One connection."""
        made.setblocking(False)
        with contextlib.suppress(asyncssh.Error, RuntimeError, concurrent.futures.CancelledError):
            asyncio.run_coroutine_threadsafe(self.connection(made, record), self.loop).result()

    async def connection(self, made, record: dict) -> None:
        held = await asyncssh.run_server(made, server_factory=lambda: Server(self, record), server_host_keys=[self.key], process_factory=lambda process: self.process(process, record), encoding="utf-8", login_timeout=20)
        await held.wait_closed()

    async def process(self, process: asyncssh.SSHServerProcess, record: dict) -> None:
        line = process.command or ""
        self.commands.append(line)
        while not self.router.doors.open_for(record):
            await asyncio.sleep(0.1)
            if record["boots"] != self.router.boots:
                process.close()
                return
        text = await asyncio.get_running_loop().run_in_executor(None, self.run, line, record["user"])
        while not self.router.doors.open_for(record) and record["boots"] == self.router.boots:
            await asyncio.sleep(0.1)
        process.stdout.write(text.replace("\n", "\r\n"))
        process.exit(0)

    def run(self, line: str, user: str) -> str:
        """A command line; errors are text like everything else."""
        row = self.router.tables.find("/user", name=user)
        run = evaluate.Run(self.router, user, self.policies(row) if row else set())
        try:
            run.start(line)
            fault = ""
        except (Refused, evaluate.Broken, language.Syntax) as refused:
            fault = evaluate.told(refused) + "\n"
        except evaluate.Returned:
            fault = ""
        except evaluate.Killed:
            return ""
        return "".join(one + "\n" for one in run.printed) + fault
