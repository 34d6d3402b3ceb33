"""Faults as a client sees them, and the control surface."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import ALLOW_ALL, make_client, signed
from .emulator import Emulator


@pytest.fixture(autouse=True)
def fleet(emulator: Emulator) -> None:
    for cluster in ("prod", "nonprod"):
        emulator.add_cluster(cluster)
        emulator.add_service(cluster, "web", "FARGATE", tags={"owner": "K2"}, events=3)


@pytest.mark.parametrize(
    ("style", "type_"),
    [
        ("plain", "ThrottlingException"),
        ("namespace", "com.amazonaws.ecs#ThrottlingException"),
        ("uri", "ThrottlingException:http://internal.amazon.com/coral/com.amazonaws.ecs/"),
    ],
)
def test_throttle_answers_400_with_the_code_of_ecs(emulator: Emulator, call: Any, style: str, type_: str) -> None:
    emulator.faults.add("throttle", times=1, retry_after_ms=250, type_style=style, message_key="Message")
    status, headers, body = call("ListClusters")
    assert (status, json.loads(body)) == (400, {"__type": type_, "Message": "Rate exceeded"})
    assert headers["x-amz-retry-after"] == "250"
    assert call("ListClusters")[0] == 200
    assert [(each.status, each.fault) for each in emulator.calls] == [(400, "throttle"), (200, None)]


def test_error_answers_in_json_and_xml(emulator: Emulator, call: Any) -> None:
    emulator.faults.add("error", times=1, type="ExpiredTokenException", message="The security token is expired.")
    emulator.faults.add("error", status=403, type="AccessDenied", message="No.", as_xml=True)
    status, _, body = call("ListClusters")
    assert (status, json.loads(body)["__type"]) == (400, "ExpiredTokenException")
    status, _, body = call("ListClusters")
    assert (status, body.startswith(b"<ErrorResponse><Errors><Error><Code>AccessDenied</Code>")) == (403, True)


@pytest.mark.parametrize("as_xml", [False, True])
def test_error_can_set_headers(emulator: Emulator, call: Any, as_xml: bool) -> None:
    emulator.faults.add("error", as_xml=as_xml, headers={"Date": "yesterday", "x-amzn-RequestId": "1"})
    headers = call("ListClusters")[1]
    assert (headers.get_all("Date"), headers["x-amzn-requestid"]) == (["yesterday"], "1")


@pytest.mark.parametrize("expected", [500, 502, 503, 504])
def test_500_and_other_statuses_are_sent(emulator: Emulator, call: Any, expected: int) -> None:
    emulator.faults.add("500", status=expected)
    status, _, body = call("ListClusters")
    assert (status, json.loads(body)["__type"]) == (expected, "ServerException")


def test_reset_resets_the_connection(emulator: Emulator, call: Any) -> None:
    emulator.faults.add("reset", times=1)
    with pytest.raises(ConnectionResetError):
        call("ListClusters")
    assert call("ListClusters")[0] == 200
    assert [(each.status, each.fault) for each in emulator.calls] == [(0, "reset"), (200, None)]


def test_hang_never_answers_and_ends_with_its_time(emulator: Emulator, call: Any, connection: http.client.HTTPConnection) -> None:
    emulator.faults.add("hang", times=1)
    connection.timeout = 0.3
    with pytest.raises(socket.timeout):
        call("ListClusters")
    connection.close()
    emulator.faults.add("hang", times=1, seconds=0.2)
    connection.timeout = 5
    started = time.monotonic()
    with pytest.raises(http.client.RemoteDisconnected):
        call("ListClusters")
    assert 0.2 <= time.monotonic() - started < 1


def test_hang_midway_sends_half_of_the_answer(emulator: Emulator, call: Any) -> None:
    emulator.faults.add("hang", midway=True, seconds=0.2)
    with pytest.raises(http.client.IncompleteRead) as error:
        call("ListClusters")
    assert error.value.expected is not None and abs(error.value.expected - len(error.value.partial)) <= 1


def test_hang_does_not_hold_up_stop(emulator: Emulator) -> None:
    with Emulator() as other:
        key = other.create_reader(ALLOW_ALL)
        other.faults.add("hang")
        request = signed(other, key, "ListClusters", {})
        ended = threading.Event()

        def hang() -> None:
            client = http.client.HTTPConnection(other.endpoint.removeprefix("http://"), timeout=10)
            try:
                client.request("POST", "/", request.data, dict(request.headers))
                client.getresponse()
            except OSError:
                ended.set()

        threading.Thread(target=hang, daemon=True).start()
        while not other.calls:
            time.sleep(0.01)
        started = time.monotonic()
        other.stop()
        assert time.monotonic() - started < 1
        assert ended.wait(2)


def test_truncate_promises_more_than_it_sends(emulator: Emulator, call: Any) -> None:
    emulator.faults.add("truncate")
    with pytest.raises(http.client.IncompleteRead) as error:
        call("ListClusters")
    assert error.value.expected is not None and abs(error.value.expected - len(error.value.partial)) <= 1


def test_short_json_is_valid_http(emulator: Emulator, call: Any) -> None:
    whole = call("ListClusters")[2]
    emulator.faults.add("short_json")
    assert call("ListClusters")[::2] == (200, whole[: len(whole) // 2])


def test_garbage_html_empty_and_body_replace_the_body(emulator: Emulator, call: Any) -> None:
    for kind in ("garbage", "html", "empty"):
        emulator.faults.add(kind, times=1)
    emulator.faults.add("body", body=b"[1, 2")
    answers = [call("ListClusters") for _ in range(4)]
    assert [status for status, _, _ in answers] == [200] * 4
    with pytest.raises(UnicodeDecodeError):
        answers[0][2].decode()
    assert answers[1][2].startswith(b"<html>") and answers[1][1]["Content-Type"] == "text/html"
    assert [body for _, _, body in answers[2:]] == [b"", b"[1, 2"]


def test_huge_is_the_true_answer_behind_padding(emulator: Emulator, call: Any) -> None:
    true = json.loads(call("ListClusters")[2])
    emulator.faults.add("huge", times=1)
    body = call("ListClusters")[2]
    assert len(body) > 20 * 1024 * 1024
    padded = json.loads(body)
    assert len(padded.pop("padding")) > 20 * 1024 * 1024 and padded == true
    emulator.faults.add("huge", megabytes=1)
    assert 1024 * 1024 < len(call("ListClusters")[2]) < 2 * 1024 * 1024


def test_huge_can_be_of_unannounced_length(emulator: Emulator, call: Any) -> None:
    emulator.faults.add("huge", megabytes=1, unannounced=True)
    _, headers, body = call("ListClusters")
    assert "Content-Length" not in headers
    assert len(json.loads(body)["padding"]) > 1024 * 1024


def test_huge_can_have_no_end(emulator: Emulator) -> None:
    emulator.faults.add("huge", endless=True)
    with socket.create_connection(("127.0.0.1", int(emulator.endpoint.split(":")[2])), timeout=5) as client:
        client.sendall(b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
        received = sum(len(client.recv(65_536)) for _ in range(5_000))
        assert received > 1024 * 1024 and emulator.in_flight == 1
    eventually(lambda: emulator.in_flight == 0)


def test_body_can_set_a_status(emulator: Emulator, call: Any) -> None:
    emulator.faults.add("body", body="moved", status=301)
    assert call("ListClusters")[::2] == (301, b"moved")


def described(call: Any) -> dict[str, Any]:
    return json.loads(call("DescribeServices", {"cluster": "prod", "services": ["web"], "include": ["TAGS"]})[2])


def test_nulls_sets_optional_members_to_null(emulator: Emulator, call: Any) -> None:
    emulator.faults.add("nulls", times=1)
    answer = described(call)
    service = answer["services"][0]
    assert [service[each] for each in ("tags", "events", "deployments", "taskSets", "createdAt")] == [None] * 5
    assert (answer["failures"], service["serviceName"], service["launchType"]) == (None, "web", "FARGATE")
    emulator.faults.add("nulls", fields=["capacityProviderStrategy"])
    assert described(call)["services"][0]["capacityProviderStrategy"] is None
    assert json.loads(call("ListClusters")[2])["nextToken"] is None


def test_missing_removes_optional_members(emulator: Emulator, call: Any) -> None:
    emulator.faults.add("missing", times=1)
    answer = described(call)
    assert not {"tags", "events", "deployments", "createdAt"} & answer["services"][0].keys()
    assert "failures" not in answer and answer["services"][0]["serviceName"] == "web"
    emulator.faults.add("missing", fields=["serviceName"])
    answer = described(call)
    assert "serviceName" not in answer["services"][0] and answer["services"][0]["tags"]


def test_wrong_types_replaces_values_by_those_of_other_types(emulator: Emulator, call: Any) -> None:
    emulator.faults.add("wrong_types", "DescribeServices", times=1)
    assert described(call)["services"].startswith("[{")
    emulator.faults.add("wrong_types", fields=["runningCount", "status"])
    service = described(call)["services"][0]
    assert (service["runningCount"], service["status"], service["desiredCount"]) == ("1", 7, 1)


def test_leave_out_omits_every_second_item(emulator: Emulator, call: Any) -> None:
    emulator.faults.add("leave_out")
    answer = json.loads(call("DescribeClusters", {"clusters": ["prod", "nonprod"]})[2])
    assert ([cluster["clusterName"] for cluster in answer["clusters"]], answer["failures"]) == (["nonprod"], [])
    assert (described(call)["services"], described(call)["failures"]) == ([], [])
    assert len(json.loads(call("ListClusters")[2])["clusterArns"]) == 2


@pytest.mark.parametrize("kind", ["nulls", "missing", "wrong_types", "leave_out", "repeat_token"])
@pytest.mark.parametrize("inner", [("garbage", {}), ("empty", {}), ("body", {"body": "[1]"}), ("wrong_types", {}), ("500", {})])
def test_a_fault_leaves_an_answer_that_another_has_changed(emulator: Emulator, call: Any, kind: str, inner: tuple[str, dict[str, Any]]) -> None:
    emulator.faults.add(kind)
    emulator.faults.add(inner[0], **inner[1])
    for operation, request in (("ListClusters", {}), ("DescribeServices", {"cluster": "prod", "services": ["web"]})):
        assert b"The emulator failed" not in call(operation, request)[2]


@pytest.mark.parametrize("kind", ["hang", "truncate"])
def test_half_of_an_empty_answer_is_not_a_whole_one(emulator: Emulator, call: Any, kind: str) -> None:
    emulator.faults.add(kind, midway=True, seconds=0.2)
    emulator.faults.add("empty")
    with pytest.raises(http.client.IncompleteRead):
        call("ListClusters")


def test_a_hang_ends_with_its_client_though_that_has_sent_more(emulator: Emulator) -> None:
    emulator.faults.add("hang")
    with socket.create_connection(("127.0.0.1", int(emulator.endpoint.split(":")[2]))) as client:
        for _ in range(2):
            client.sendall(b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
            eventually(lambda: emulator.in_flight == 1)
    eventually(lambda: emulator.in_flight == 0)


def eventually(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_repeat_token_never_ends(emulator: Emulator, call: Any) -> None:
    emulator.faults.add("repeat_token")
    for operation, request in (("ListClusters", {}), ("ListServices", {"cluster": "prod"})):
        first = json.loads(call(operation, request)[2])
        assert json.loads(call(operation, {**request, "nextToken": first["nextToken"]})[2]) == first
    assert "nextToken" not in described(call)


@pytest.mark.parametrize(("offset", "message"), [(900, "Signature expired: "), (-900, "Signature not yet current: ")])
def test_a_clock_that_is_far_off_refuses_and_shows_its_time(emulator: Emulator, call: Any, offset: int, message: str) -> None:
    emulator.faults.add("clock", offset_seconds=offset)
    status, headers, body = call("ListClusters")
    error = json.loads(body)
    assert (status, error["__type"]) == (400, "InvalidSignatureException")
    assert error["message"].startswith(message) and error["message"].endswith(" 5 min.)")
    assert abs(parsedate_to_datetime(headers["Date"]).timestamp() - time.time() - offset) < 5


def test_a_clock_that_is_a_little_off_lets_pass_and_shows_its_time(emulator: Emulator, call: Any) -> None:
    emulator.faults.add("clock", offset_seconds=-240)
    status, headers, _ = call("ListClusters")
    assert status == 200
    assert abs(parsedate_to_datetime(headers["Date"]).timestamp() - time.time() + 240) < 5


def test_delay_and_latency_add_up(emulator: Emulator, call: Any) -> None:
    emulator.latency = 0.1
    emulator.faults.add("delay", seconds=0.2)
    started = time.monotonic()
    assert call("ListClusters")[0] == 200
    assert 0.3 <= time.monotonic() - started < 1


def test_faults_choose_by_operation_cluster_count_and_order(emulator: Emulator, call: Any) -> None:
    emulator.faults.add("500", operation="ListServices", cluster="prod", after=1, times=2)
    prod = [call("ListServices", {"cluster": "prod"})[0] for _ in range(4)]
    assert prod == [200, 500, 500, 200]
    handle = emulator.faults.add("500", cluster="prod")
    arn = "arn:aws:ecs:ap-southeast-2:123456789012:cluster/prod"
    assert call("ListServices", {"cluster": "nonprod"})[0] == 200
    assert call("ListServices", {"cluster": arn})[0] == 500
    assert call("DescribeClusters", {"clusters": ["nonprod", "prod"]})[0] == 500
    handle.remove()
    assert call("ListServices", {"cluster": "prod"})[0] == 200
    emulator.faults.add("clock", offset_seconds=60)
    emulator.faults.add("throttle")
    assert call("ListClusters")[0] == 400 and emulator.calls[-1].fault == "clock+throttle"
    emulator.faults.clear()
    assert call("ListClusters")[0] == 200
    with pytest.raises(ValueError, match="no such fault: typo"):
        emulator.faults.add("typo")


def test_a_fault_can_strike_one_region_alone(emulator: Emulator) -> None:
    key = emulator.create_reader(ALLOW_ALL)
    emulator.faults.add("throttle", region="us-east-1")
    assert len(make_client(emulator, key).list_clusters()["clusterArns"]) == 2
    with pytest.raises(ClientError, match="Throttling"):
        make_client(emulator, key, "us-east-1").list_clusters()
    assert {(call.region, call.fault) for call in emulator.calls} == {("ap-southeast-2", None), ("us-east-1", "throttle")}


def test_a_fault_can_strike_by_chance_and_the_same_seed_strikes_the_same_calls(emulator: Emulator, call: Any) -> None:
    def struck(seed: int) -> list[str | None]:
        emulator.faults.clear()
        before = emulator.count()
        emulator.faults.add("throttle", chance=0.5, seed=seed, name="at-times")
        for _ in range(20):
            call("ListClusters")
        return [each.fault for each in emulator.calls_from(before)]

    first = struck(1)
    assert set(first) == {None, "at-times"}
    assert struck(1) == first != struck(2)


def test_an_emulator_that_was_stopped_listens_again_where_it_did() -> None:
    emulator = Emulator()
    with emulator:
        endpoint, key = emulator.endpoint, emulator.create_reader(ALLOW_ALL)
        assert len(make_client(emulator, key).list_clusters()["clusterArns"]) == 2
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(endpoint.rpartition(":")[2])), timeout=5)
    with emulator:
        assert emulator.endpoint == endpoint
        assert len(make_client(emulator, key).list_clusters()["clusterArns"]) == 2


def test_concurrent_calls_are_counted(emulator: Emulator) -> None:
    emulator.latency = 0.2
    key = emulator.create_reader(ALLOW_ALL)
    request = signed(emulator, key, "ListClusters", {})

    def once() -> None:
        client = http.client.HTTPConnection(emulator.endpoint.removeprefix("http://"), timeout=5)
        client.request("POST", "/", request.data, dict(request.headers))
        assert client.getresponse().read()
        client.close()

    threads = [threading.Thread(target=once) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (emulator.peak_concurrency, [each.status for each in emulator.calls]) == (6, [200] * 6)


def test_a_connection_is_kept_alive(emulator: Emulator, call: Any, connection: http.client.HTTPConnection) -> None:
    call("ListClusters")
    first = connection.sock
    started = time.monotonic()
    for _ in range(10):
        call("ListClusters")
    assert first is not None and connection.sock is first
    assert (time.monotonic() - started) / 10 < 0.035, "Nagle's algorithm waits 40 ms"


def test_the_control_surface_adds_and_removes_faults_and_changes_services(emulator: Emulator, call: Any, connection: http.client.HTTPConnection) -> None:
    def control(method: str, path: str, body: Any = None) -> tuple[int, Any]:
        connection.request(method, f"/_emulator/{path}", None if body is None else json.dumps(body))
        response = connection.getresponse()
        return response.status, json.loads(response.read())

    assert control("POST", "faults", {"kind": "throttle", "operation": "ListClusters", "times": 5}) == (200, {})
    assert call("ListClusters")[0] == 400
    assert control("DELETE", "faults") == (200, {})
    assert call("ListClusters")[0] == 200
    assert control("POST", "service", {"cluster": "prod", "name": "web", "running": 0}) == (200, {})
    assert described(call)["services"][0]["runningCount"] == 0
    assert control("GET", "calls") == (200, {"ListClusters": 2, "DescribeServices": 1})
    assert control("POST", "service", {"cluster": "prod", "name": "nope"})[0] == 404
    assert control("POST", "faults", {"kind": "typo"})[0] == 400
    assert control("POST", "faults", {"times": 1})[0] == 400
    assert control("GET", "nothing")[0] == 404
