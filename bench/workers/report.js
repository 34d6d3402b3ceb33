// Report in JavaScript, for any client: `call(operation, input)` makes one call.

/** Calls in progress at once: the number of a Worker's connections that may wait for headers. */
const CONCURRENT = 6;
const CLUSTERS_A_CALL = 100;
const SERVICES_A_CALL = 10;
const PAGE = 100;

/** A Worker that answers /list with calls of `client(env)`. */
export function worker(client) {
  let call;
  return {
    async fetch(request, env) {
      if (new URL(request.url).pathname !== "/list") {
        return new Response("User-agent: *\nDisallow: /\n");
      }
      try {
        call ??= client(env);
        const body = JSON.stringify(await report(call, env.AWS_REGION)) + "\n";
        return new Response(body, { headers: { "content-type": "application/json" } });
      } catch (error) {
        console.error(error.stack);
        return new Response(null, { status: 502 });
      }
    },
  };
}

async function report(call, region) {
  const limited = limit(CONCURRENT);
  const ask = (operation, input) => limited(() => call(operation, input));
  const work = [];
  for await (const arns of pages(ask, "ListClusters", {}, "clusterArns")) {
    const descriptions = batches(arns, CLUSTERS_A_CALL).map((clusters) =>
      ask("DescribeClusters", { clusters, include: ["TAGS"] }),
    );
    work.push(...arns.map((arn) => cluster(ask, arn, descriptions, region)));
  }
  const clusters = (await Promise.all(work)).filter((found) => found?.services.length);
  return {
    generatedAt: new Date().toISOString().replace(/\.\d+/, ""),
    complete: true,
    clusters: clusters.sort(by("clusterName")),
    failures: [],
  };
}

/** A cluster with its Fargate services; undefined if it is not ACTIVE. */
async function cluster(ask, arn, descriptions, region) {
  const [services, described] = await Promise.all([servicesOf(ask, arn), Promise.all(descriptions)]);
  const found = described.flatMap((answer) => answer.clusters).find((each) => each.clusterArn === arn);
  if (found?.status !== "ACTIVE") {
    return undefined;
  }
  const fallback = fargate(found.defaultCapacityProviderStrategy) ?? [];
  for (const service of services) {
    service.capacityProviders ??= fallback;
  }
  return {
    clusterName: found.clusterName,
    target: "default",
    region,
    capacityProviders: [...found.capacityProviders].sort(),
    tags: tags(found.tags),
    services: services.filter((service) => service.capacityProviders.length).sort(by("serviceName")),
  };
}

/** Describes each batch as soon as its ARNs are known, and retains only the reported members. */
async function servicesOf(ask, cluster) {
  const batched = [];
  for await (const arns of pages(ask, "ListServices", { cluster }, "serviceArns")) {
    for (const services of batches(arns, SERVICES_A_CALL)) {
      const answer = ask("DescribeServices", { cluster, services, include: ["TAGS"] });
      batched.push(answer.then(({ services }) => services.filter(isActive).map(service)));
    }
  }
  return (await Promise.all(batched)).flat();
}

async function* pages(ask, operation, input, member) {
  let nextToken;
  do {
    const page = await ask(operation, { ...input, maxResults: PAGE, nextToken });
    yield page[member];
    nextToken = page.nextToken;
  } while (nextToken);
}

const isActive = (service) => service.status === "ACTIVE";

function service(service) {
  const primary = service.deployments?.find((each) => each.status === "PRIMARY");
  return {
    serviceName: service.serviceName,
    status: service.status,
    // Undefined where the cluster's default strategy decides.
    capacityProviders: providers(service) ?? (primary && providers(primary)) ?? ofTaskSets(service.taskSets),
    rolloutState: primary?.rolloutState ?? null,
    desiredCount: service.desiredCount,
    runningCount: service.runningCount,
    pendingCount: service.pendingCount,
    tags: tags(service.tags),
    state: state(service, primary?.rolloutState),
  };
}

function state({ desiredCount: desired, runningCount: running, pendingCount: pending, taskSets }, rollout) {
  if (rollout === "FAILED") return "failing";
  if (running === 0 && desired === 0) return "stopped";
  if (running >= desired && taskSets?.length > 1) return "deploying";
  if (running === desired) return pending > 0 ? "starting" : "healthy";
  if (rollout === "IN_PROGRESS" || (running < desired && pending > 0)) return "starting";
  return running < desired ? "short" : "draining";
}

/** The Fargate providers: empty if it is not on Fargate, undefined if nothing decides. */
function providers({ launchType, capacityProviderStrategy }) {
  if (launchType) {
    return launchType === "FARGATE" ? ["FARGATE"] : [];
  }
  return fargate(capacityProviderStrategy);
}

function fargate(strategy) {
  if (!strategy?.length) {
    return undefined;
  }
  const names = strategy.map((item) => item.capacityProvider);
  return ["FARGATE", "FARGATE_SPOT"].filter((name) => names.includes(name));
}

function ofTaskSets(taskSets = []) {
  const decided = taskSets.map(providers).filter(Boolean);
  return decided.length ? [...new Set(decided.flat())].sort() : undefined;
}

function tags(list = []) {
  return Object.fromEntries(list.sort(by("key")).map(({ key, value }) => [key, value ?? ""]));
}

function by(member) {
  return (a, b) => (a[member] < b[member] ? -1 : 1);
}

function batches(items, size) {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}

/** Runs at most `most` tasks at a time, in the order of their arrival. */
export function limit(most) {
  const waiting = [];
  let running = 0;
  return async (task) => {
    if (running < most) {
      running += 1;
    } else {
      await new Promise((resolve) => waiting.push(resolve));
    }
    try {
      return await task();
    } finally {
      const next = waiting.shift();
      if (next) {
        next();
      } else {
        running -= 1;
      }
    }
  };
}
