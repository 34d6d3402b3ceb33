"""Clock skew: it is corrected once, by the response's Date, and stays corrected."""

from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest

from emulator.emulator import Emulator
from emulator.fleets import populate, uniform

from .conftest import SWEEP_ALWAYS, Start, fails, last_line, names, report
from .workerd import Worker

CODES = ["InvalidSignatureException", "RequestTimeTooSkewed", "RequestExpired", "SignatureDoesNotMatch"]
THE_FLEET = {"cluster-000": ["service-000-0000"]}


@pytest.fixture
def fleet(emulator: Emulator) -> Emulator:
    populate(emulator, uniform(1, 1))
    return emulator


def date(offset: float) -> dict[str, str]:
    return {"Date": format_datetime(datetime.now(timezone.utc) + timedelta(seconds=offset), usegmt=True)}


@pytest.mark.parametrize("offset", [310, -310, 7_200, -86_400])
def test_a_skewed_clock_is_corrected_once(fleet: Emulator, start: Start, offset: int) -> None:
    fleet.faults.add("clock", offset_seconds=offset)
    worker = start(**SWEEP_ALWAYS)
    assert names(report(worker)) == THE_FLEET
    assert fleet.count() == 5
    assert (last_line(worker)["awsCalls"], last_line(worker)["awsRetries"]) == (5, 1)
    assert names(report(worker)) == THE_FLEET
    assert (last_line(worker)["awsCalls"], last_line(worker)["awsRetries"]) == (4, 0)


@pytest.mark.parametrize("offset", [200, -200])
def test_a_clock_that_aws_accepts_is_left_alone(fleet: Emulator, worker: Worker, offset: int) -> None:
    fleet.faults.add("clock", offset_seconds=offset)
    assert names(report(worker)) == THE_FLEET
    assert (last_line(worker)["awsCalls"], last_line(worker)["awsRetries"]) == (4, 0)


@pytest.mark.parametrize("code", CODES)
def test_a_correction_that_does_not_help_is_not_repeated(fleet: Emulator, worker: Worker, code: str) -> None:
    fleet.faults.add("error", type=code, headers=date(3_600))
    fails(worker, 502)
    assert fleet.count() == 2


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("headers", [date(0), {"Date": "yesterday"}, {"Date": ""}])
def test_a_refusal_without_clock_skew_is_not_retried(
    fleet: Emulator, worker: Worker, code: str, headers: dict[str, str]
) -> None:
    fleet.faults.add("error", type=code, headers=headers)
    fails(worker, 502)
    assert fleet.count() == 1


def test_the_health_check_corrects_the_clock_too(fleet: Emulator, worker: Worker) -> None:
    fleet.faults.add("clock", offset_seconds=-400)
    assert worker.get("/healthz").status == 200
    assert fleet.count() == 5, "one call of each kind, and the first once more"
