"""Signs the requests on standard input, one JSON object a line, as botocore does; answers their Authorization headers."""

import datetime
import json
import sys

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

for line in sys.stdin:
    case = json.loads(line)
    now = datetime.datetime.fromtimestamp(case["now"], datetime.timezone.utc)
    botocore.auth.get_current_datetime = lambda remove_tzinfo=True, now=now: now.replace(tzinfo=None)
    request = AWSRequest(case["method"], case["url"], headers=case["headers"], data=case["body"].encode())
    credentials = Credentials(case["accessKeyId"], case["secretAccessKey"], case["sessionToken"])
    botocore.auth.SigV4Auth(credentials, case["service"], case["region"]).add_auth(request)
    print(request.headers["Authorization"])
