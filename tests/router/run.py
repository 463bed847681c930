#!/usr/bin/env python3
"""Drives the program against routers of a second simulator, one that shares nothing with it but the facts.

tests/router/run.py [--jobs N] [--list] [--fast] [WORD…]   scenarios whose name holds one of the words; all of them without
The program is $RMCP_BIN or the release build. ROUTER_KEEP=1 leaves state directories where they are.
"""

import argparse
import concurrent.futures
import sys
import time
import traceback
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

import menus  # noqa: E402

if not (menus.FACTS / "schema.json").exists():
    print(f"ABSENT  {menus.FACTS}/schema.json: the routers' menus", flush=True)
    print("router: 0 passed, 0 failed", flush=True)
    sys.exit(0)

import cases_cuts  # noqa: E402
import cases_drafts  # noqa: E402
import cases_late  # noqa: E402
import cases_odd  # noqa: E402
import cases_plain  # noqa: E402
import cases_secrets  # noqa: E402
import cases_six  # noqa: E402
import cases_tools  # noqa: E402
import cases_trouble  # noqa: E402
import cases_words  # noqa: E402
import plant  # noqa: E402


def scenarios() -> dict:
    """Every scenario by name."""
    made = {}
    for module in (cases_cuts, cases_plain, cases_trouble, cases_odd, cases_drafts, cases_late, cases_secrets, cases_six, cases_tools, cases_words):
        made |= module.cases()
    return made


# As many as there are.
LEAST = 733

# What every change of the program runs, in three minutes; the rest takes half an hour.
FAST = (
    "device add refuses", "reading 7.12.2", "reading 7.24.1", "kept: forward rule added in place", "kept: forward rule with states out of order", "kept: route disabled", "kept: black hole of a connected network", "kept: a rule put in place of another", "kept: two rules before the same", "kept: two rules at the end",
    "kept: a rule moved and its neighbour removed", "kept: queue rate", "kept: comment with quotes", "kept: service with an address list", "kept: our own service narrowed", "kept: each of several", "back: forward rule moved", "back: matcher unset",
    "refused: two rows match", "refused: rule with no matcher", "refused: attribute of a later version", "www-ssl certificate none", "drop by negated list", "jump to a chain that drops",
    "our rule removed", "the last drop moved up", "address on another interface", "prefix that leaves the gateway out", "our port removed", "port PVID with filtering", "VLAN row removed",
    "default route disabled", "our user for another address", "our group without REST, login kept", "fault: lose_answer at the change", "fault: 400_applied at the change", "fault: truncate at the guard's entry", "fault: lose_answer at the guard's removal",
    "others: same value before the apply", "others: other value in the window, confirmed", "others: guard script in the window, confirmed", "killed after request 8", "killed after request 14", "killed after request 18", "reading of facts: 7.12.2, kept",
    "reading of facts: strict types, kept", "home: kept", "odd: bytes in comments", "odd: a guard of others", "odd: direct writes", "odd: an entry that expires cuts us off", "odd: our entry comes to expire", "odd: truth words in text", "odd: strict, absent is an error: rule without comment", "password rotated, 400 though applied", "rollout: all well", "rollout: one fails", "rollout: roll back all",
    "rollout: moved", "draft: the gateway becomes the router's", "draft: our outer list excludes ours", "draft: rule of our chain moved to another", "draft: drop by time", "late: two plans at once", "words: a flush whose answer was lost", "words: a command about a row", "words: a removal that removes nothing", "words: a job answered by a web page", "words: changed by hand just now", "words: an export cut off over SSH", "words: a certificate with its key", "late: our way moved since the draft (program dead)",
    "six kept: address added", "six cut: our entry narrowed", "six cut: a black hole", "six cut: raw drop of ICMPv6",
)


def one(name: str, run) -> tuple[str, bool, str, float]:
    """Runs a scenario; whatever goes wrong in it counts against it."""
    began = time.monotonic()
    try:
        told, good = run() or "", True
    except plant.Failed as fault:
        told, good = str(fault), False
    except Exception as fault:
        told, good = f"{type(fault).__name__}: {fault} {traceback.format_exc()[-600:]}", False
    return name, good, told, time.monotonic() - began


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=8)
    parser.add_argument("--list", action="store_true", help="names alone")
    parser.add_argument("--fast", action="store_true", help="those that every change runs")
    parser.add_argument("words", nargs="*")
    asked = parser.parse_args()
    chosen = {name: run for name, run in scenarios().items() if not asked.words or any(word in name for word in asked.words)}
    if asked.fast:
        chosen = {name: run for name, run in chosen.items() if name in FAST or (name.startswith("cut: ") and name.removeprefix("cut: ").removesuffix(" (program dead)") in FAST)}
        lost = set(FAST) - {part for name in chosen for part in (name, name.removeprefix("cut: ").removesuffix(" (program dead)"))}
        if lost and not asked.words:
            parser.error(f"no such scenarios: {', '.join(sorted(lost))}")
        # The slow ones first, so that nothing long begins at the end.
        chosen = dict(sorted(chosen.items(), key=lambda pair: not pair[0].startswith(("cut", "killed", "odd: strict", "odd: an entry that expires cuts", "late"))))
    if asked.list:
        print("\n".join(chosen))
        return 0
    passed = failed = 0
    with concurrent.futures.ThreadPoolExecutor(asked.jobs) as pool:
        for done in concurrent.futures.as_completed([pool.submit(one, name, run) for name, run in chosen.items()]):
            name, good, told, took = done.result()
            passed, failed = passed + good, failed + (not good)
            print(f"  {'ok  ' if good else 'FAIL'} {name} ({took:.0f} s){': ' if told else ''}{plant.short(told, 2000)}", flush=True)
    least = 1 if asked.words else len(FAST) if asked.fast else LEAST
    if passed + failed < least:
        print(f"  FAIL there were {least} scenarios and are {passed + failed}", flush=True)
        failed += 1
    print(f"router: {passed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
