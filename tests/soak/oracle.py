"""Oracle: the judge of every answer. An answer is right, or states that it is outdated or partial, or is a problem with a
true cause; anything else is wrong. The oracle knows the fleet at any moment, the faults that each call met, and the kills.

The services of a target in a report come from one sweep. It began with its first ListClusters, as the emulator saw it,
and ended at generatedAt. Each service has to be as it was at some moment of the sweep, and each that existed throughout
has to be in the report, unless `failures` names it. Services that could not be read now are carried over from an earlier
sweep; then `failures` counts them, and states the time of that sweep.

A report that is older than SNAPSHOT_MAX_AGE when it is requested is right only if it says that AWS failed, if the request
waited for a newer one as long as FRESH_WAIT or its own preference says, or if the sweep before took longer than that.

With events, a service may also be as it was when it was described after the sweep, and in no state that it was in neither
in that sweep nor at any time since; what events say is never shown by itself. `told` has the rules for the events.
"""

from __future__ import annotations

from typing import Any

from e2e.workerd import Answer
import sentences

from .causes import ANY_FAULT, STATUS_AND_FAULTS, objections
from .plan import CANARY, Scene
from .reading import CONTENT_TYPES, Ask, Key, Report, read
from . import told
from .bus import Post
from .record import SLACK, Look, Record, overlaps, seconds
from .states import State
from .truth import Place, Truth, clusters_of

# In an answer, the end of a sweep is rounded down to a second.
SECOND = 1.0
HEALTH_SECONDS = 30
# Tolerance for a timer that ends early, by the clock of a client.
EARLY = 0.1


class Wrong(Exception):
    """An answer that is wrong and does not say so."""


def parts_of(place: Place) -> set[tuple[str | None, str | None]]:
    """The parts that a failure of this service can concern: the service, its cluster, the target."""
    return {(place[1], place[2]), (place[1], None), (None, None)}


class Oracle:
    """Judges the answers of one scene in the order of their arrival."""

    def __init__(self, scene: Scene, truth: Truth, record: Record, secrets: tuple[str, ...] = ()):
        self.scene, self.record = scene, record
        self._truth, self._secrets = truth, secrets
        # The time when a service was last shown as read by a sweep.
        self._shown_at: dict[Key, float] = {}
        # Arrival and generatedAt of the newest answers.
        self._newest: list[tuple[float, float]] = []
        self._bodies: dict[tuple[str, str], Answer] = {}
        self._judged: dict[tuple[str, bytes, str], list[str]] = {}

    def judge(self, look: Look) -> str:
        """The kind of an answer. Raises Wrong."""
        try:
            return self._judge(look)
        except (AssertionError, KeyError, ValueError, IndexError, UnicodeError) as error:
            raise Wrong(f"it cannot be read: {type(error).__name__}: {error}") from error

    def forget(self, before: float) -> None:
        """Drops what no answer can refer to any more, so that a long storm fits in memory: clients send the newest ETag."""
        newest = {path: etag for path, etag in self._bodies}
        self._bodies = {key: body for key, body in self._bodies.items() if newest[key[0]] == key[1]}
        self._judged.clear()
        self._newest = [each for each in self._newest if each[0] >= before]
        self.record.forget(before)

    def _judge(self, look: Look) -> str:
        """(1) No answer. (2) An answer that is late or reveals a secret. (3) An answer by its status."""
        # (1)
        if look.answer is None:
            if overlaps(self.record.kills, look.sent, look.received):
                return "cut off by a kill"
            raise Wrong(f"no answer: {look.error}")
        # (2)
        answer, took = look.answer, look.received - look.sent
        if took > self._wait_of(look, self.scene.timeout + 1) + SLACK:
            raise Wrong(f"it took {took:.1f} s")
        self._is_discreet(answer.body.decode() + str(answer.headers))
        # (3)
        if look.ask.status is not None or look.ask.format == "help":
            return self._as_asked(look, answer)
        if answer.status in (200, 304):
            if look.ask.format == "metrics" and ("age" not in answer.headers or answer.headers.get("cache-control") == "no-store"):
                return self._unread_metrics(look, answer)
            return self._healthy(look, answer) if look.ask.format == "health" else self._report(look, answer)
        return self._problem(look, answer)

    def _is_discreet(self, text: str) -> None:
        for secret in (*self._secrets, "arn:", "canary", CANARY.split()[0]):
            if secret in text:
                raise Wrong(f"it tells a secret: {secret[:4]}…")

    def _as_asked(self, look: Look, answer: Answer) -> str:
        if answer.status != (look.ask.status or 200):
            raise Wrong(f"status {answer.status}")
        if look.ask.status:
            details(answer)
        return "as asked: " + ("help" if look.ask.format == "help" else str(answer.status))

    # Reports

    def _report(self, look: Look, answer: Answer) -> str:
        """(1) Its age is true. (2) So are its services. (3) It is not older than allowed."""
        headers, age = answer.headers, int(answer.headers["age"])
        body = self._whole(look, answer)
        if body is None:
            # HEAD of a report whose body no request fetched.
            if age > self.scene.max_stale_if_error + SLACK:
                raise Wrong(f"it is {age} s old")
            return "right, by its head"
        assert headers["x-ecs-status-complete"] == body.headers["x-ecs-status-complete"]
        report = read(look.ask, body, self.scene)
        if self.scene.events and (wrong := told.age_objection(look)):
            raise Wrong(wrong)
        # (1)
        first, last = look.sent - age - SECOND, look.received - age
        if report.generated_at is not None:
            first = seconds(report.generated_at)
            last = first + SECOND
            if not look.sent - first - 2 < age <= look.received - first:
                raise Wrong(f"Age: {age}, but it is {look.received - first:.1f} s old")
        # (2)
        failed = self._shows_what_was(look, body, report, first, last)
        if self.scene.events:
            self._shows_what_was_told(look, report)
        # (3)
        why = self._is_young_enough(look, report, age, (first, last), failed)
        self._newest.append((look.received, first))
        if failed:
            return "stale, and says since when and why"
        if not report.complete:
            return "partial, and says what is missing and why"
        return f"right, stale: {why}" if why else "right, fresh"

    def _shows_what_was_told(self, look: Look, report: Report) -> None:
        for target in {each[0] for each in report.shown}:
            self.record.answered.setdefault(self.scene.regions[target], []).append(look.received)
        calm = self.record.calm
        if calm is None:
            return
        wrong = told.unseen(look, report, self.scene, calm, self._truth, self._waited(look, self.scene.fresh_wait))
        if wrong:
            raise Wrong(wrong)
        if look.ask.path == "/list":
            told.note_seen(look, report, self.scene, calm, self._truth)

    def judge_event(self, post: Post) -> str:
        """The kind of the answer to an event. Raises Wrong."""
        try:
            if post.answer:
                self._is_discreet(post.answer.body.decode() + str(post.answer.headers))
            wrong = told.objection(post, self.scene, self.record)
        except (AssertionError, KeyError, ValueError, UnicodeError) as error:
            raise Wrong(f"it cannot be read: {type(error).__name__}: {error}") from error
        if wrong:
            raise Wrong(wrong)
        return f"event: {post.answer.status}" if post.answer else "event: cut off by a kill"

    def _whole(self, look: Look, answer: Answer) -> Answer | None:
        """The answer with the body that a 304 refers to."""
        ask, etag = look.ask, answer.headers.get("etag", "")
        known = self._bodies.get((ask.path, etag)) if etag else None
        if answer.status == 304:
            if not ask.conditional or known is None or answer.body:
                raise Wrong("a 304 that fits nothing that was sent before")
            return Answer(304, answer.headers, known.body)
        if answer.headers["content-type"] != CONTENT_TYPES[ask.format]:
            raise Wrong(f"content-type: {answer.headers['content-type']}")
        if ask.method == "HEAD":
            if answer.body:
                raise Wrong("HEAD has a body")
            return Answer(200, answer.headers, known.body) if known else None
        if known and known.body != answer.body:
            raise Wrong("two bodies have one ETag")
        if etag:
            self._bodies.pop((ask.path, etag), None)
            self._bodies[(ask.path, etag)] = answer
        return answer

    def _shows_what_was(self, look: Look, body: Answer, report: Report, first: float, last: float) -> bool:
        """Checks all targets; returns whether the report states that newer sweeps failed."""
        targets = [look.ask.target] if look.ask.target else list(self.scene.targets)
        is_alone = len(self.scene.targets) == 1
        known = (look.ask.path, body.body, body.headers["x-ecs-status-complete"])
        # The ages in the metrics change; otherwise, an equal ETag means an equal report.
        if known not in self._judged or report.generated_at is None:
            wrong: list[str] = []
            for target in targets:
                until = last if is_alone else look.received
                wrong += self._target(look, report, target, first, until)
            self._judged[known] = wrong
        if self._judged[known]:
            raise Wrong("; ".join(self._judged[known][:5]))
        return any(sentences.OUTDATED.fullmatch(failure["reason"]) for failure in report.failures or [])

    def _target(self, look: Look, report: Report, target: str, first: float, until: float) -> list[str]:
        """Complaints about a target's part, judged by the sweep that explains it best."""
        region = self.scene.regions[target]
        mine = [each for each in report.failures or [] if each["target"] == target]
        if any(each["region"] != region for each in mine):
            return [f"{target} has a failure of another region"]
        wrong = [
            f"{cluster['clusterName']} is not so" for cluster in report.clusters
            if cluster["target"] == target and cluster != {**clusters_of(region)[cluster["clusterName"]], "target": target}
        ]  # fmt: skip
        own = []
        for failure in mine:
            old = sentences.OUTDATED.fullmatch(failure["reason"])
            if old:
                wrong += self._is_old(old, region, look)
                first, until = seconds(old["of"]), seconds(old["of"]) + SECOND
            else:
                own.append(failure)
        if report.ages and target in report.ages:
            first, until = look.sent - report.ages[target] - SECOND, look.received - report.ages[target]
        begins = self.record.begins[region]
        sweeps = [
            (begin, min(until, after))
            for begin, after in zip(begins, [*begins[1:], float("inf")], strict=True)
            if begin <= until and after > first
        ]
        shown = {key: value for key, value in report.shown.items() if key[0] == target}
        if not sweeps or (own and not shown):
            # No snapshot of the target exists, or none is recent enough.
            sweeps.append((first - self.scene.longest_sweep - self.scene.max_age, look.received if own else until))
        return wrong + min((self._sweep(look, report, target, own, shown, *sweep) for sweep in sweeps), key=len)

    def _is_old(self, old: re.Match[str], region: str, look: Look) -> list[str]:
        """Complaints about the claim that newer sweeps fail."""
        at, of = seconds(old["at"]), seconds(old["of"])
        if not of <= at <= look.received:
            return [f"it failed at {old['at']}, which was not after {old['of']} and before the answer"]
        if old["reason"] == sentences.NOT_DONE:
            if not self._is_running(region, of, at):
                return ["no newer sweep is running"]
            return [] if self._waited_in_vain(look, of) else ["it did not wait for the sweep that is not done"]
        return objections(self.record, old["reason"], region, None, at - self.scene.longest_sweep, at + SECOND, self.scene.timeout)

    def _sweep(
        self, look: Look, report: Report, target: str, own: list[dict[str, Any]], shown: dict[Key, Any], begin: float, end: float
    ) -> list[str]:
        """Complaints about a target's part, if it comes from the sweep from `begin` to `end`.

        1. Each failure has a cause, and the number of services that are carried over.
        2. Each service was as shown, or is counted as carried over and was so at that time.
        3. Each service that existed throughout is shown, or a failure covers it.
        """
        region, ask = self.scene.regions[target], look.ask
        wrong: list[str] = []
        # (1)
        kept: dict[tuple[str | None, str | None], tuple[int, float]] = {}
        covered: set[tuple[str | None, str | None]] = set()
        for failure in own:
            cluster, reason = failure.get("clusterName"), failure["reason"]
            part = (cluster, failure.get("serviceName"))
            covered.add(part)
            said = sentences.CARRIED_OVER.fullmatch(reason)
            if said:
                kept[part] = (int(said["count"]), seconds(said["of"]))
                reason = said["reason"]
            if not (reason == sentences.NOT_DONE and not shown and self._waited(look, self.scene.timeout)):
                wrong += objections(self.record, reason, region, cluster, begin, end, self.scene.timeout)
        # Other formats state only that the report is incomplete.
        is_vague = report.failures is None and not report.complete
        # (2)
        old: dict[str, int] = {}
        for key, value in shown.items():
            place: Place = (region, *key[1:])
            if self._was(place, value, report, look, begin, end):
                if not own and not is_vague:
                    # What was read anew since the sweep is not stored: a kill may lose it, and a failure then says so.
                    read = self._begin_of(region, begin - SECOND) if self.scene.events else begin
                    self._shown_at[key] = max(self._shown_at.get(key, 0), read)
                continue
            claims = [kept[each] for each in parts_of(place) if each in kept]
            since = min((self._begin_of(region, of) for _, of in claims), default=None)
            if is_vague:
                since = begin - self.scene.max_stale_if_error - self.scene.longest_sweep
            if since is None or not self._was(place, value, report, look, since, end):
                wrong.append(f"{'/'.join(key)} was not so since {since or begin:.2f}: {value}; it was {self._versions(place, begin, end)}")
            old[place[1]] = old.get(place[1], 0) + 1
        for cluster, count in old.items():
            whole = max((kept[each][0] for each in ((cluster, None), (None, None)) if each in kept), default=0)
            single = sum(many for (of, service), (many, _) in kept.items() if of == cluster and service)
            most = max(whole, single)
            if not is_vague and count > most:
                wrong.append(f"{count} services in {cluster} are old, {most} are said to be")
        # (3)
        for place in self._truth.places(region):
            key = (target, *place[1:])
            states = self._states(place, look, begin, end)
            if key in shown or not all(state and ask.accepts(state) for state in states) or ask.service not in (None, place[2]):
                continue
            if not is_vague and not covered & parts_of(place):
                wrong.append(f"{'/'.join(key)} is missing")
            elif not is_vague and shown and ask.path == "/list" and self._is_lost(key, place, begin, end):
                wrong.append(f"{'/'.join(key)} was shown, is still there, and is not kept")
        return wrong

    def _states(self, place: Place, look: Look, begin: float, end: float) -> list[State | None]:
        """Every state that a sweep from `begin` to `end` can have read, and with events whoever described the service since."""
        found = self._truth.between(place, begin, end)
        longest = self.scene.timeout + SLACK
        for read in self.record.reads.get(place, ()) if self.scene.events else ():
            if begin - longest <= read <= look.received:
                found += self._truth.between(place, max(begin, read), min(read + longest, look.received))
        return found

    def _was(self, place: Place, value: Any, report: Report, look: Look, begin: float, end: float) -> bool:
        states, ask = self._states(place, look, begin, end), look.ask
        return any(state is not None and ask.accepts(state) and report.of(state) == value for state in states)

    def _versions(self, place: Place, begin: float, end: float) -> str:
        """A summary of the versions of a service."""
        states = self._truth.between(place, begin, end)
        return ", then ".join(f"version {state['tags']['version']}" if state else "not there" for state in states)

    def _is_lost(self, key: Key, place: Place, begin: float, end: float) -> bool:
        """Whether a service should be shown that was shown before, existed since and is recent enough to be carried over."""
        shown_at, kept_for = self._shown_at.get(key), self.scene.max_stale_if_error - self.scene.longest_sweep
        if shown_at is None or shown_at >= begin or end - shown_at > kept_for:
            return False
        return all(self._truth.between(place, shown_at, end))

    def _begin_of(self, region: str, ended: float) -> float:
        """Start of the sweep that ended in this second, in which the next one may have begun: the earliest possible."""
        begins = self.record.begins[region]
        spans = zip(begins, [*begins[1:], float("inf")], strict=True)
        return min((begin for begin, after in spans if begin <= ended + SECOND and after > ended), default=ended)

    def _wait_of(self, look: Look, default: float) -> float:
        """The time for which a request waits for a sweep: as it prefers, or else `default`, but no longer than for a slice."""
        return min(default if look.ask.wait is None else look.ask.wait, self.scene.timeout + 1)

    def _waited(self, look: Look, default: float) -> bool:
        return look.received - look.sent >= self._wait_of(look, default) - EARLY

    def _waited_in_vain(self, look: Look, of: float) -> bool:
        """Whether the request waited as long as it had to, where a report `of` that time was at hand. One that became too old
        meanwhile was waited for like one that is not."""
        became_too_old = look.sent - of <= self.scene.max_stale + SECOND
        return self._waited(look, self.scene.fresh_wait if became_too_old else self.scene.timeout)

    def _is_running(self, region: str, of: float, at: float) -> bool:
        """Whether a sweep that began after the report `of` that time may have run `at` that time. Of one whose calls do not
        reach the emulator, nothing is known."""
        begins = any(of <= begin <= at + SECOND + SLACK for begin in self.record.begins[region])
        return begins or overlaps(self.record.absences, of, at + SECOND)

    def _is_young_enough(self, look: Look, report: Report, age: int, ended: tuple[float, float], failed: bool) -> str:
        """Why a report may be older than SNAPSHOT_MAX_AGE; "" if it was not when it was requested. Its sweep ended between `ended`.

        1. A report that does not say that sweeps fail is not older than SNAPSHOT_MAX_STALE.
        2. Nor is it older than a sweep takes, if there are requests all the time.
        3. It is older than SNAPSHOT_MAX_AGE only if waiting for a newer one was in vain.
        """
        scene, generated = self.scene, ended[0]
        # (1)
        may_be_old = failed or (report.failures is None and not report.complete)
        limit = scene.max_stale_if_error if may_be_old else max(scene.max_age, scene.max_stale)
        # Counts from the first request: until then, a client may have waited for another target.
        if age > limit + SLACK + (look.received - look.sent):
            raise Wrong(f"it is {age} s old, and does not say why")
        # (2)
        silence = self.record.longest_silence(generated, look.sent)
        if not may_be_old and age > scene.max_age + scene.longest_sweep + silence + SLACK:
            raise Wrong(f"it is {age} s old, no sweep failed, and somebody asked every {silence:.1f} s: the sweep is stuck")
        # (3)
        took = look.received - look.sent
        if age - took <= scene.max_age:
            return ""
        if may_be_old:
            return "AWS fails"
        limit = self._wait_of(look, scene.fresh_wait)
        if took > limit + SLACK:
            raise Wrong(f"it took {took:.1f} s, though a report was at hand after {limit} s")
        if limit == 0:
            return "it did not want to wait"
        if self._waited(look, scene.fresh_wait):
            return "it waited in vain"
        if self._took_longer(look, limit, *ended):
            return "the sweep before took longer than a request waits"
        if age - took > scene.max_age + SLACK:
            raise Wrong(f"it is {age} s old, and was served after {took:.1f} s of {limit} s")
        return ""

    def _took_longer(self, look: Look, limit: float, first: float, last: float) -> bool:
        """Whether a sweep that ended between `first` and `last` may have taken longer than `limit`."""
        targets = [look.ask.target] if look.ask.target else list(self.scene.targets)
        for begins in (self.record.begins[self.scene.regions[target]] for target in targets):
            for begin, after in zip(begins, [*begins[1:], float("inf")], strict=True):
                # The emulator may not have been there for the first attempts of its first call.
                if overlaps(self.record.absences, begin - limit, begin):
                    begin -= limit
                if begin <= last and after > first and last - begin + SLACK > limit:
                    return True
        return False

    # Everything else

    def _healthy(self, look: Look, answer: Answer) -> str:
        body = answer.json()
        assert (body["status"], body["configuration"], body["credentials"]) == ("ok", "complete", "accepted")
        assert ("lastEventAt" in body) is self.scene.events, "it tells of events where they are taken"
        checked = seconds(body["checkedAt"])
        if not look.sent - HEALTH_SECONDS - self.scene.timeout - 2 < checked <= look.received:
            raise Wrong(f"checked {look.received - checked:.0f} s ago")
        return "healthy"

    def _problem(self, look: Look, answer: Answer) -> str:
        """(1) It is problem details. (2) No report could be served instead. (3) Its cause is true."""
        # (1)
        if look.ask.format in ("badge", "version"):
            return self._unknown_badge(look, answer)
        if look.ask.method == "HEAD":
            return self._problem_by_its_head(look, answer)
        body = details(answer)
        detail, is_health = body["detail"], look.ask.format == "health"
        # (2)
        if not is_health:
            self._had_nothing(look)
        # (3)
        if sentences.FIRST_SWEEP.fullmatch(detail):
            if answer.status != 503 or not self._waited(look, self.scene.timeout):
                raise Wrong("it did not wait for the first sweep")
            return "problem: 503, the sweep is not done"
        said = sentences.NO_REPORT.fullmatch(detail)
        if not said:
            raise Wrong(f"it names no cause: {detail}")
        status, _ = STATUS_AND_FAULTS.get(said["reason"], (502, set()))
        if answer.status != status or (status == 503) != ("retry-after" in answer.headers):
            raise Wrong(f"status {answer.status} for {said['reason']}")
        begin = self._earliest(look, HEALTH_SECONDS if is_health else 0)
        wrong = min((objections(self.record, said["reason"], region, None, begin, look.received, self.scene.timeout) for region in self.scene.regions.values()), key=len)
        if wrong:
            raise Wrong("; ".join(wrong))
        return f"{'unhealthy' if is_health else 'problem'}: {status}, {said['reason']}"

    def _earliest(self, look: Look, remembered: float) -> float:
        """Earliest start of the sweep that a problem is about: failures are remembered for a while."""
        return look.sent - max(self.scene.max_age + SECOND, remembered) - self.scene.longest_sweep

    def _unknown_badge(self, look: Look, answer: Answer) -> str:
        """A badge is a picture where the fleet cannot be read, too; it does not tell the cause."""
        if answer.headers["content-type"] != "image/svg+xml" or answer.headers["cache-control"] != "no-store":
            raise Wrong("a badge without a fleet is an uncacheable picture")
        if answer.body and b": unknown</title>" not in answer.body:
            raise Wrong("a badge without a fleet says that it is unknown")
        return self._failed(look, answer, "a badge that says unknown")

    def _unread_metrics(self, look: Look, answer: Answer) -> str:
        """Metrics where nothing can be read say so with a 200, as exporters do; they do not tell the cause."""
        if answer.headers["cache-control"] != "no-store" or answer.headers["x-ecs-status-complete"] != "false":
            raise Wrong("metrics of nothing are incomplete and not cacheable")
        report = read(look.ask, answer, self.scene)
        if report.shown or report.ages:
            raise Wrong("metrics of nothing show a service or a snapshot")
        self._had_nothing(look)
        if not self.record.met(ANY_FAULT, None, self._earliest(look, 0), look.received) and not self._waited(look, self.scene.timeout):
            raise Wrong("no target is up, though no call met a fault, and it did not wait for the first sweep")
        return "problem: 200, metrics that say that no target is up"

    def _problem_by_its_head(self, look: Look, answer: Answer) -> str:
        if answer.body or answer.headers["content-type"] != "application/problem+json":
            raise Wrong(f"status {answer.status}")
        return self._failed(look, answer, "by its head")

    def _failed(self, look: Look, answer: Answer, form: str) -> str:
        """An error whose cause is not told, which some fault has to explain."""
        self._had_nothing(look)
        if answer.status not in (502, 503, 504):
            raise Wrong(f"status {answer.status}")
        if not self.record.met(ANY_FAULT, None, self._earliest(look, 0), look.received) and answer.status != 503:
            raise Wrong("a problem, though no call met a fault")
        return f"problem: {answer.status}, {form}"

    def _had_nothing(self, look: Look) -> None:
        """Checks that no report could have been served instead."""
        newest = max((generated for received, generated in self._newest if received < look.sent), default=None)
        if newest is not None and look.received - newest < self.scene.max_stale_if_error - SLACK:
            raise Wrong(f"a problem, though a report of {look.received - newest:.1f} s ago was at hand")


def details(answer: Answer) -> dict[str, Any]:
    """Problem details (RFC 9457), after checks that they have a detail and are not cacheable."""
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    body: dict[str, Any] = answer.json()
    assert body["status"] == answer.status and body["title"] and body["type"]
    assert body["detail"].endswith(".") and " " in body["detail"]
    return body
