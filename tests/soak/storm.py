"""Storm: rounds of faults over a Worker under constant requests, with a verdict on every answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import readme
from e2e.conftest import ACCOUNT, SECRETS, settings
from e2e.figures import megabytes
from e2e.viewers import look
from e2e.workerd import Answer

from .bus import Bus, Post, send
from .forged import Forged, forged
from .oracle import Wrong
from .plan import AWAY, CALM_SECONDS, REGIONS, Round, Scene, Span, Strike
from .reading import Ask, asks
from .record import SLACK, Calm, Look
from .tally import Tally
from .told import LAG_SECONDS
from .truth import Fleet, StillEmulator, Truth
from .watch import LATE, Stage, StormWorker, StormWorkerApart, Watch

# The most requests in progress at once.
MOST_AT_ONCE = 60
CHANGES_A_SECOND = 6
# With events and without faults: so few that each is read anew by itself.
CALM_CHANGES_A_SECOND = 3
FORGED_A_SECOND = 6
# Longer than the oldest allowed report.
REMEMBERED_SECONDS = 300
BEAT = 0.05
# A Worker that has made no call for so long has nothing left to do: before a third attempt it pauses for up to two
# seconds, and between two rereadings for one.
STILL_SECONDS = 2.5


class Storm:
    """Runs the rounds of a plan, one after the other, until the time is up."""

    def __init__(self, seed: int, rounds: list[Round], directory: Path, tell: Callable[[str], None] = print):
        self._rounds, self._directory, self._tell = rounds, directory, tell
        self.tally = Tally(seed)
        self._random = Random(seed)
        # Over all rounds, so that two short ones have every kind.
        self._forgeries = forged(Random(seed))
        self._truth = Truth()
        self._stages: dict[str, Stage] = {}
        self._worker: StormWorker | None = None
        self._told: set[str] = set()
        self._bus: Bus | None = None

    def run(self, until: float) -> Tally:
        began = time.monotonic()
        with StillEmulator(region=REGIONS[0], account=ACCOUNT) as self._emulator:
            self._emulator.reset()
            self._fleet = Fleet(self._emulator, self._truth, self._random)
            self._fleet.populate()
            self._reader = settings(self._emulator, self._emulator.create_reader(readme.policy()))
            self._secrets = (ACCOUNT, *(self._reader[name] for name in SECRETS if name in self._reader))
            self._watch = Watch(self._emulator, self.tally, self._secrets)
            try:
                for each in self._rounds:
                    if time.monotonic() >= until:
                        break
                    asyncio.run(self._round(each))
            finally:
                self._stop()
                self.tally.seconds = time.monotonic() - began
        return self.tally

    # Rounds

    async def _round(self, planned: Round) -> None:
        """Runs a round: (1) the scene, (2) the faults, (3) the recovery, (4) the verdicts."""
        # (1)
        stage = self._enter(planned.scene)
        self._looks: list[Look] = []
        self._forged: list[Post] = []
        stage.record.calm = None
        # Requests without an answer.
        self._waiting: set[asyncio.Task[None]] = set()
        self._random = Random(planned.seed)
        self._watch.begin()
        self._objections = len(self.tally.wrong)
        beats = asyncio.create_task(self._beat(stage))
        # (2)
        storm = asyncio.create_task(self._ask(stage, MOST_AT_ONCE))
        changes = asyncio.create_task(self._change(CHANGES_A_SECOND))
        forging = asyncio.create_task(self._forge(stage))
        happenings = [self._strike(each) for each in planned.strikes]
        happenings += [self._be_away(stage, each) for each in planned.absences]
        happenings.append(self._kill(stage, planned.kills))
        await asyncio.gather(asyncio.sleep(planned.seconds), *happenings)
        self._emulator.faults.clear()
        self._fleet.calm()
        if stage.scene.events:
            changes.cancel()
            await self._end_events(forging)
        ended = time.time()
        storm.cancel()
        # (3)
        calm = asyncio.create_task(self._ask(stage, 6))
        self._recovery = await self._recover(stage, ended)
        if stage.scene.events:
            await self._be_told(stage)
        calm.cancel()
        changes.cancel()
        await self._answered()
        if await self._is_still(stage) and planned.is_quiet_after:
            await self._quiet(stage)
        beats.cancel()
        # (4)
        self._judge(stage, planned, ended)

    def _enter(self, scene: Scene) -> Stage:
        """Starts the Worker of a scene, with the storage of its predecessor."""
        known = self._stages.get(scene.name)
        if known and self._worker and self._worker.directory == known.directory:
            return known
        self._stop()
        self._fleet.use(scene)
        directory = self._directory / str(len(self._stages))
        stage = known or Stage(scene, directory, self._truth, self._secrets)
        self._stages[scene.name] = stage
        # Calls at the end of another scene belong to none of this scene's sweeps.
        self._watch.skip()
        self._start(stage)
        return stage

    def _start(self, stage: Stage) -> None:
        plain = {name: value for name, value in self._reader.items() if name != "AWS_REGION"}
        kind = StormWorkerApart if stage.scene.apart else StormWorker
        self._worker = kind(stage.directory, {**plain, **stage.scene.variables()})
        self.tally.lives += 1
        if stage.scene.events and not self._bus:
            self._bus = self._fleet.bus = Bus(self._port, self._random.getrandbits(32))

    def _port(self) -> int:
        """The port of the newest workerd."""
        assert self._worker
        return self._worker.port

    def _stop(self) -> None:
        if self._bus:
            self._fleet.bus = None
            self._bus.close()
            self._bus = None
        if self._worker:
            self._worker.stop()
            self._worker = None

    # The faults

    async def _strike(self, strike: Strike) -> None:
        await asyncio.sleep(strike.at)
        fault = self._emulator.faults.add(
            strike.kind, strike.operation, cluster=strike.cluster, region=strike.region, chance=strike.chance,
            seed=strike.seed, name=strike.name, **strike.options,
        )  # fmt: skip
        await asyncio.sleep(strike.seconds)
        fault.remove()

    async def _be_away(self, stage: Stage, span: Span) -> None:
        """Closes the emulator's port for a while."""
        await asyncio.sleep(span.at)
        began = time.time()
        await asyncio.to_thread(self._emulator.stop)
        await asyncio.sleep(span.seconds)
        while True:
            try:
                self._emulator.start()
                break
            except OSError:  # The port is somebody's own end of a connection at the moment.
                await asyncio.sleep(0.02)
        stage.record.absences.append((began, time.time()))
        self.tally.faults[AWAY] += 1

    async def _kill(self, stage: Stage, kills: tuple[Span, ...]) -> None:
        """Kills workerd, as a failing machine would, and starts another one with its storage."""
        began = time.time()
        for kill in kills:
            await asyncio.sleep(max(0.0, began + kill.at - time.time()))
            killed = time.time()
            assert self._worker
            await asyncio.to_thread(self._worker.stop)
            self._watch.note_lines(self._worker, is_dead=True)
            await asyncio.sleep(kill.seconds)
            await asyncio.to_thread(self._start, stage)
            stage.record.kills.append((killed, time.time()))
            self._watch.lives.append(killed)
            self.tally.kills += 1

    async def _change(self, a_second: float, hides: bool = True) -> None:
        """Changes the fleet all the time."""
        while True:
            await asyncio.sleep(self._random.expovariate(a_second))
            await asyncio.to_thread(self._fleet.change, hides)

    # Events

    async def _forge(self, stage: Stage) -> None:
        """Sends events that are none, or not of this fleet."""
        while stage.scene.events:
            await asyncio.sleep(self._random.expovariate(FORGED_A_SECOND))
            # To its end, also if this task is cancelled: its mark may not come later.
            posted = asyncio.ensure_future(self._post(next(self._forgeries)))
            try:
                await asyncio.shield(posted)
            except asyncio.CancelledError:
                await posted
                raise

    async def _post(self, forgery: Forged) -> None:
        sent = time.time()
        answer, error = await asyncio.to_thread(send, self._port(), forgery.body, forgery.token, forgery.method)
        self._forged.append(Post(forgery.name, sent, time.time(), answer, error, forgery.status, forgery.region))

    async def _end_events(self, forging: asyncio.Task[None]) -> None:
        """Returns when no event is on its way any more."""
        forging.cancel()
        (error,) = await asyncio.gather(forging, return_exceptions=True)
        if isinstance(error, Exception):
            raise error
        await self._delivered()

    async def _delivered(self) -> None:
        """Waits until all events of what has happened have been sent."""
        assert self._bus
        try:
            await asyncio.to_thread(self._bus.wait)
        except TimeoutError as error:
            self.tally.wrong.append(str(error))

    async def _be_told(self, stage: Stage) -> None:
        """Changes the fleet without any fault, until a reader has to know all of it."""
        assert self._bus
        self._bus.changes = []
        calm = stage.record.calm = Calm(time.time(), self._bus.changes, LAG_SECONDS)
        late_before = self._watch.late
        changes = asyncio.create_task(self._change(CALM_CHANGES_A_SECOND, hides=False))
        await asyncio.sleep(CALM_SECONDS)
        changes.cancel()
        await self._delivered()
        calm.sweep_seconds = max((line["durationMs"] / 1_000 for _, line in self._watch.sweeps), default=0.0)
        last = max((calm.due(change, stage.scene.max_age) for change in calm.changes), default=0.0)
        while time.time() < last + self._watch.late - late_before + BEAT:
            await self._look(stage, Ask("/list"))
            await asyncio.sleep(BEAT)
        await self._look(stage, Ask("/list"))
        calm.end, calm.late = time.time(), self._watch.late - late_before
        assert self._worker
        self._watch.note_lines(self._worker)
        calm.sweep_seconds = max((line["durationMs"] / 1_000 for _, line in self._watch.sweeps), default=0.0)

    async def _ask(self, stage: Stage, most: int) -> None:
        """Sends requests in bursts of a bounded number."""
        kinds, weights = zip(*asks(stage.scene), strict=True)
        while True:
            burst = min(self._random.choice((1, 3, 8, 20)), most - len(self._waiting))
            for ask in self._random.choices(kinds, weights, k=max(0, burst)):
                self._waiting.add(task := asyncio.create_task(self._look(stage, ask)))
                task.add_done_callback(self._waiting.discard)
            await asyncio.sleep(self._random.uniform(0.1, 0.6))

    async def _look(self, stage: Stage, ask: Ask) -> None:
        etag = stage.etags.get(ask.path) if ask.conditional else None
        headers = (*ask.preference, *((f"If-None-Match: {etag}",) if etag else ()))
        sent = time.time()
        stage.record.asked.append(sent)
        assert self._worker
        try:
            seen = await look(self._worker.port, ask.path, ask.method, headers)
            if ask.method == "GET" and "etag" in seen.answer.headers:
                stage.etags[ask.path] = seen.answer.headers["etag"]
            self._looks.append(Look.of(ask, seen))
        except (OSError, AssertionError, EOFError, ValueError, IndexError, KeyError, asyncio.TimeoutError) as error:
            self._looks.append(Look(ask, sent, time.time(), None, f"{type(error).__name__}: {error}"))

    async def _answered(self) -> None:
        """Waits until all requests have an answer."""
        await asyncio.gather(*self._waiting)

    # The recovery

    async def _recover(self, stage: Stage, ended: float) -> float:
        """Time until each target is swept again and a report is complete and fresh."""
        limit = ended + stage.scene.max_age + 2 * stage.scene.longest_sweep
        while time.time() < limit:
            await self._look(stage, Ask("/list"))
            assert self._worker
            self._watch.note_lines(self._worker)
            newest = self._looks[-1]
            if newest.answer and newest.answer.status == 200 and self._is_whole(stage, newest.answer, ended):
                return newest.received - ended
            await asyncio.sleep(0.05)
        return float("inf")

    async def _beat(self, stage: Stage) -> None:
        """Measures how late the machine is during a round, in all."""
        while True:
            began = time.monotonic()
            await asyncio.sleep(BEAT)
            late = max(0.0, time.monotonic() - began - 2 * BEAT)
            self._watch.late += late
            if late:
                now = time.time()
                stage.record.stalls.append((now - late, now))

    def _is_whole(self, stage: Stage, answer: Answer, ended: float) -> bool:
        if answer.headers["x-ecs-status-complete"] != "true" or int(answer.headers["age"]) > stage.scene.max_age:
            return False
        return all(self._good_sweeps(target, ended) for target in stage.scene.targets)

    def _good_sweeps(self, target: str, ended: float) -> list[float]:
        """Durations of the complete sweeps of a target that began since then."""
        took = [(moment, line["durationMs"] / 1_000, line) for moment, line in self._watch.sweeps if line["target"] == target]
        return [seconds for moment, seconds, line in took if moment - seconds >= ended and line.get("failures") == 0]

    async def _is_still(self, stage: Stage) -> bool:
        """Waits until the Worker makes no call any more, now that nobody asks, and returns whether that came soon. A round is
        judged only then: judging keeps this process busy, and so the emulator in it would answer too late."""
        began, late_before = time.time(), self._watch.late
        made, since = -1, began
        while time.time() < since + STILL_SECONDS:
            # The last call may be made as late as this, and is noticed a beat after.
            if since > began + stage.scene.longest_sweep + 2 * BEAT + self._watch.late - late_before:
                late = [f"{call.operation} of {call.region} at {call.time:.2f}" for call in self._watch.calls() if call.time > began]
                out = f"{self._emulator.in_flight} calls are out"
                self.tally.wrong.append(f"nobody asks since {began:.2f}, and {out}, and there were {len(late)} more: {late[-9:]}")
                return False
            if made != len(self._watch.calls()) or self._emulator.in_flight:
                made, since = len(self._watch.calls()), time.time()
            await asyncio.sleep(BEAT)
        return True

    async def _quiet(self, stage: Stage) -> None:
        """Checks that events lead to no calls while nobody asks, and then asks for what there is, which is stale by then."""
        began, made = time.time(), len(self._watch.calls())
        self.tally.quiet += 1
        # Events that come now are for nobody.
        changes = asyncio.create_task(self._change(CALM_CHANGES_A_SECOND, hides=False)) if self._bus else None
        forging = asyncio.create_task(self._forge(stage))
        await asyncio.sleep(stage.scene.max_age + SLACK)
        if changes:
            changes.cancel()
            await self._end_events(forging)
            if made != len(self._watch.calls()):
                self.tally.wrong.append(f"nobody asks since {began:.2f}, and events led to {len(self._watch.calls()) - made} calls")
        await self._look(stage, Ask("/list", wait=0))
        await self._is_still(stage)

    # The verdicts

    def _judge(self, stage: Stage, planned: Round, ended: float) -> None:
        assert self._worker
        self._watch.note_calls(stage)
        self._watch.note_lines(self._worker)
        self._watch.note_sweeps(stage)
        if self._worker.has_ended():
            self.tally.wrong.append("workerd ended by itself")
            self._start(stage)
        stage.record.late = self._watch.late
        before = sum(self.tally.answers.values())
        for each in sorted(self._looks, key=lambda look: look.received):
            self._judge_one(stage, each)
        self._judge_events(stage)
        stage.oracle.forget(ended - REMEMBERED_SECONDS)
        recovery = self._judge_recovery(stage, ended)
        self.tally.rounds += 1
        resident, wasm = self._worker.resident(), max((line["memoryBytes"] for _, line in self._watch.sweeps), default=0)
        self.tally.memory.append((self.tally.lives, resident, wasm))
        self._tell(
            f"{planned}\n  {sum(self.tally.answers.values()) - before} answers, {len(self._watch.sweeps)} sweeps, "
            f"recovery in {recovery:.1f} s, {megabytes(resident)} resident, {megabytes(wasm)} of wasm"
        )
        for each in self.tally.wrong[self._objections :]:
            self._tell(f"  WRONG (seed {self.tally.seed}): {each}")

    def _judge_one(self, stage: Stage, look: Look) -> None:
        self.tally.slowest = max(self.tally.slowest, look.received - look.sent)
        try:
            self.tally.answers[stage.oracle.judge(look)] += 1
        except Wrong as wrong:
            self.tally.answers["WRONG"] += 1
            self.tally.wrong.append(f"{look.ask}, asked at {look.sent:.2f}, answered at {look.received:.2f}: {wrong}{self._in_full(look, str(wrong))}")

    def _judge_events(self, stage: Stage) -> None:
        """Judges the answers to events, and how often services were read anew for them."""
        posts = [*self._forged, *(self._bus.taken() if self._bus else [])]
        for post in posts:
            try:
                self.tally.answers[stage.oracle.judge_event(post)] += 1
            except Wrong as wrong:
                self.tally.answers["WRONG"] += 1
                self.tally.wrong.append(f"{post.name}, sent at {post.sent:.2f}, answered at {post.received:.2f}: {wrong}")
        if stage.record.calm:
            for change in stage.record.calm.changes:
                if change.seen is None:
                    continue
                if change.noted is None:
                    self.tally.untold.append(change.seen - change.at)
                else:
                    self.tally.told.append(max(0.0, change.seen - change.noted))
        lasted = time.time() - self._watch.lives[0]
        for target, count in self._watch.rereads.items():
            if not stage.scene.events or count > lasted + 2 * len(self._watch.lives):
                self.tally.wrong.append(f"services of {target} were read anew {count} times in {lasted:.1f} s")

    def _in_full(self, look: Look, wrong: str) -> str:
        """The answer itself, once for all answers that are wrong in the same way."""
        if look.answer is None or wrong in self._told:
            return ""
        self._told.add(wrong)
        return f"\n    {look.answer.status} {look.answer.headers}\n    {look.answer.body.decode(errors='replace')}"

    def _judge_recovery(self, stage: Stage, ended: float) -> float:
        """Judges the time until each target was swept again and a report was complete and fresh.

        It is at most the rest of the running sweep, one SNAPSHOT_MAX_AGE (except that the first pause after a
        failure is a second) and a good sweep, plus the delay of the machine itself.
        """
        recovery, allowed = self._recovery, 0.0
        for target in stage.scene.targets:
            mine = [(moment - line["durationMs"] / 1_000, moment) for moment, line in self._watch.sweeps if line["target"] == target]
            doomed = max((end - ended for begin, end in mine if begin < ended <= end), default=0)
            allowed = max(allowed, doomed + sum(self._good_sweeps(target, ended)[:1]))
        self.tally.recoveries.append((recovery, recovery - allowed))
        if recovery > allowed + max(1, stage.scene.max_age) + LATE + self._watch.late:
            swept = ", ".join(
                f"{line['target']} from {moment - line['durationMs'] / 1_000 - ended:.2f} to {moment - ended:.2f}: {line.get('problem', line.get('failures'))}"
                for moment, line in self._watch.sweeps
                if moment > ended
            )
            self.tally.wrong.append(f"recovery took {recovery:.1f} s, where the sweeps took {allowed:.1f} s and the machine was {self._watch.late:.1f} s late: {swept}")
        return recovery
