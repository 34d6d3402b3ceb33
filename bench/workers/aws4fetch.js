// aws4fetch contestant: the report with aws4fetch, which signs with WebCrypto and caches the day's signing key.

import { AwsClient } from "aws4fetch";

import { worker } from "./report.js";

const ATTEMPTS = 3;
const FIRST_PAUSE_MS = 500;

export default worker((env) => {
  const client = new AwsClient({
    accessKeyId: env.AWS_ACCESS_KEY_ID,
    secretAccessKey: env.AWS_SECRET_ACCESS_KEY,
    region: env.AWS_REGION,
    service: "ecs",
    // Retries are made below, as ECS throttles with a 400, which aws4fetch does not retry.
    retries: 0,
  });
  return async function call(operation, input) {
    const body = JSON.stringify(input);
    const headers = {
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": `AmazonEC2ContainerServiceV20141113.${operation}`,
    };
    for (let attempt = 1; ; attempt += 1) {
      const response = await client.fetch(env.AWS_ENDPOINT_URL_ECS, { method: "POST", headers, body });
      if (response.ok) {
        return response.json();
      }
      const problem = await response.text();
      if (attempt === ATTEMPTS || (response.status < 500 && !problem.includes("Throttl"))) {
        throw new Error(`${operation}: ${response.status} ${problem}`);
      }
      await new Promise((resolve) => setTimeout(resolve, Math.random() * FIRST_PAUSE_MS * 2 ** attempt));
    }
  };
});
