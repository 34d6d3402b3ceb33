// Floor: the calls of a report, with headers as long as signed ones. It fetches every byte of the responses
// and parses none, as it knows the stand-in's fleet.

import { limit } from "./report.js";

const CONCURRENT = 6;

let calls;

export default {
  async fetch(request, env) {
    if (new URL(request.url).pathname !== "/list") {
      return new Response("User-agent: *\nDisallow: /\n");
    }
    calls ??= plan(env);
    const limited = limit(CONCURRENT);
    const get = async (call) => (await (await fetch(env.AWS_ENDPOINT_URL_ECS, call)).arrayBuffer()).byteLength;
    const [first, ...others] = calls;
    const bytes = [await get(first), ...(await Promise.all(others.map((call) => limited(() => get(call)))))];
    return new Response(`${bytes.reduce((sum, each) => sum + each, 0)}\n`);
  },
};

function plan({ AWS_REGION, CLUSTERS, SERVICES }) {
  const prefix = `arn:aws:ecs:${AWS_REGION}:123456789012`;
  const numbers = (count, length) => Array.from({ length: count }, (_, i) => String(i).padStart(length, "0"));
  const names = numbers(Number(CLUSTERS), 3);
  const arns = names.map((name) => `${prefix}:cluster/cluster-${name}`);
  const lists = [];
  const describes = [];
  for (const name of names) {
    const cluster = `${prefix}:cluster/cluster-${name}`;
    const services = numbers(Number(SERVICES), 4).map(
      (number) => `${prefix}:service/cluster-${name}/service-${name}-${number}`,
    );
    for (let at = 0; at < services.length; at += 100) {
      const nextToken = at ? String(at) : undefined;
      lists.push(post("ListServices", { cluster, maxResults: 100, nextToken }));
    }
    for (let at = 0; at < services.length; at += 10) {
      describes.push(post("DescribeServices", { cluster, services: services.slice(at, at + 10), include: ["TAGS"] }));
    }
  }
  const clusters = post("DescribeClusters", { clusters: arns, include: ["TAGS"] });
  return [post("ListClusters", { maxResults: 100 }), ...lists, clusters, ...describes];

  function post(operation, input) {
    return {
      method: "POST",
      headers: {
        "content-type": "application/x-amz-json-1.1",
        "x-amz-target": `AmazonEC2ContainerServiceV20141113.${operation}`,
        "x-amz-date": "20261122T194000Z",
        authorization:
          `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261122/${AWS_REGION}/ecs/aws4_request, ` +
          `SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=${"0".repeat(64)}`,
      },
      body: JSON.stringify(input),
    };
  }
}
