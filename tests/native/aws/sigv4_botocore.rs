//! Signatures compared with botocore's, on a few hundred generated requests.
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, UNIX_EPOCH};

use ecs_status::aws::credentials::Credentials;
use ecs_status::aws::sigv4::sign;
use http::Request;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

const CASES: usize = 400;

fn requests() -> impl Strategy<Value = Value> {
    let region = prop::sample::select(vec!["ap-southeast-2", "us-east-1", "cn-north-1"]);
    let service = prop::sample::select(vec!["ecs", "sts"]);
    let operation = prop::sample::select(vec!["ListClusters", "DescribeServices"]);
    let token = prop::option::of("[A-Za-z0-9+/=]{20,400}");
    (
        (region, service, operation, token),
        ("[A-Z0-9]{16,20}", "[A-Za-z0-9+/]{40}", ".{0,300}"),
        // From 2015 to 2100, around midnight too.
        prop_oneof![1_440_000_000_u64..4_100_000_000, (16_700_u64..47_000).prop_map(|day| day * 86_400 - 1)],
        prop::option::of("[!-~]([ -~]{0,40}[!-~])?"),
    )
        .prop_map(|((region, service, operation, token), (id, secret, body), now, extra)| {
            let mut headers = json!({
                "Content-Type": "application/x-amz-json-1.1",
                "X-Amz-Target": format!("AmazonEC2ContainerServiceV20141113.{operation}"),
            });
            if let Some(extra) = extra {
                headers["X-Amz-Extra"] = json!(extra);
            }
            json!({
                "method": "POST", "url": format!("https://{service}.{region}.amazonaws.com/"),
                "headers": headers, "body": body, "now": now, "region": region, "service": service,
                "accessKeyId": id, "secretAccessKey": secret, "sessionToken": token,
            })
        })
}

fn ours(case: &Value) -> String {
    let text = |key: &str| case[key].as_str().unwrap();
    let mut request = Request::builder().method(text("method")).uri(text("url"));
    for (name, value) in case["headers"].as_object().unwrap() {
        request = request.header(name, value.as_str().unwrap());
    }
    let mut request = request.body(text("body").as_bytes().to_vec()).unwrap();
    let token = case["sessionToken"].as_str().map(str::to_owned);
    let credentials = Credentials::new(
        text("accessKeyId").into(),
        text("secretAccessKey").into(),
        token,
    );
    let now = UNIX_EPOCH + Duration::from_secs(case["now"].as_u64().unwrap());
    sign(
        &mut request,
        &credentials,
        text("region"),
        text("service"),
        now,
    )
    .unwrap();
    request.headers()["authorization"]
        .to_str()
        .unwrap()
        .to_owned()
}

fn botocores(cases: &[Value]) -> Vec<String> {
    let root = env!("CARGO_MANIFEST_DIR");
    let python = format!("{root}/target/venv/bin/python");
    let mut child = Command::new(&python)
        .arg(format!("{root}/tests/sigv4_botocore.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| {
            panic!("{python} with botocore is missing ({error}): run `make setup` first")
        });
    let lines = cases
        .iter()
        .map(Value::to_string)
        .collect::<Vec<_>>()
        .join("\n");
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(lines.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(
        output.status.success(),
        "botocore failed: run `make setup` first"
    );
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_signature_is_botocores() {
    let mut runner = TestRunner::deterministic();
    let cases: Vec<Value> = (0..CASES)
        .map(|_| requests().new_tree(&mut runner).unwrap().current())
        .collect();
    let theirs = botocores(&cases);
    assert_eq!(theirs.len(), CASES);
    for (case, theirs) in cases.iter().zip(theirs) {
        assert_eq!(ours(case), theirs, "{case}");
    }
}
