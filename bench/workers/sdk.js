// SDK contestant: the report with AWS's SDK, which signs, retries and decodes itself.

import {
  DescribeClustersCommand,
  DescribeServicesCommand,
  ECSClient,
  ListClustersCommand,
  ListServicesCommand,
} from "@aws-sdk/client-ecs";

import { worker } from "./report.js";

const COMMANDS = {
  ListClusters: ListClustersCommand,
  DescribeClusters: DescribeClustersCommand,
  ListServices: ListServicesCommand,
  DescribeServices: DescribeServicesCommand,
};

export default worker((env) => {
  const client = new ECSClient({
    region: env.AWS_REGION,
    endpoint: env.AWS_ENDPOINT_URL_ECS,
    credentials: { accessKeyId: env.AWS_ACCESS_KEY_ID, secretAccessKey: env.AWS_SECRET_ACCESS_KEY },
    maxAttempts: 3,
  });
  return (operation, input) => client.send(new COMMANDS[operation](input));
});
