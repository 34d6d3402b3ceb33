locals {
  # MiB that Fargate takes with each number of CPU units (Amazon ECS Developer Guide, "Fargate task definition differences").
  fargate_memory = {
    256   = [512, 1024, 2048]
    512   = range(1024, 4096 + 1, 1024)
    1024  = range(2048, 8192 + 1, 1024)
    2048  = range(4096, 16384 + 1, 1024)
    4096  = range(8192, 30720 + 1, 1024)
    8192  = range(16384, 61440 + 1, 4096)
    16384 = range(32768, 122880 + 1, 8192)
  }

  retention_days = [
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
  ]

  # A service that says nothing, or has the launch type FARGATE, gets its strategy written out: ECS would take the
  # cluster's, and the next plan would then find a difference.
  default_strategy = [{ capacity_provider = "FARGATE", weight = 1, base = 0 }]

  strategies = {
    for name, service in var.services : name =>
    length(service.capacity_provider_strategy) > 0 ? service.capacity_provider_strategy : tolist(local.default_strategy)
  }

  # IAM's names are the account's, not the region's, and have at most 64 characters: where a name is longer, its end
  # gives way to eight digits of its hash.
  role_names = {
    for pair in setproduct(keys(var.services), ["execution", "task"]) : "${pair[0]} ${pair[1]}" => (
      length("${var.cluster_name}-${pair[0]}-${var.region}-${pair[1]}") <= 64
      ? "${var.cluster_name}-${pair[0]}-${var.region}-${pair[1]}"
      : format("%.55s-%.8s", "${var.cluster_name}-${pair[0]}-${var.region}-${pair[1]}", sha1("${var.cluster_name}-${pair[0]}-${var.region}-${pair[1]}"))
    )
  }

  # With a read-only root, what a container must write to are volumes of the task's own.
  volumes = {
    for name, service in var.services : name => merge([
      for container_name, container in service.containers : {
        for index, path in container.writable_paths : "${container_name}-${index}" => { container = container_name, path = path }
      }
    ]...)
  }

  # Registry or first part of the name, its port, the rest of the name, tag, digest.
  image = "^[a-z0-9][A-Za-z0-9._-]*(:[0-9]+)?(/[A-Za-z0-9._-]+)*(:[A-Za-z0-9_][A-Za-z0-9._-]*)?(@sha256:[0-9a-f]{64})?$"

  # Account, region and repository of an image in a private ECR registry, by each of its hosts: IPv4 (dkr.ecr) and
  # dual-stack (dkr-ecr), FIPS, and those of AWS's partitions.
  ecr_hosts = join("|", [
    "amazonaws\\.com", "amazonaws\\.com\\.cn", "amazonaws\\.eu",
    "on\\.aws", "on\\.amazonwebservices\\.com\\.cn", "on\\.amazonwebservices\\.eu",
    "c2s\\.ic\\.gov", "sc2s\\.sgov\\.gov", "cloud\\.adc-e\\.uk", "csp\\.hci\\.ic\\.gov",
  ])
  ecr_image = "^([0-9]{12})\\.dkr[.-]ecr(?:-fips)?\\.([a-z0-9-]+)\\.(?:${local.ecr_hosts})/([^:@]+)"

  repositories = {
    for name, service in var.services : name => distinct(flatten([
      for container in service.containers : [
        for part in regexall(local.ecr_image, container.image) : "arn:${var.partition}:ecr:${part[1]}:${part[0]}:repository/${part[2]}"
      ]
    ]))
  }

  secrets = {
    for name, service in var.services : name => distinct(flatten([
      # A secret's ARN may go on with :json-key:version-stage:version-id, which IAM does not know.
      for container in service.containers : [
        for arn in concat(values(container.secrets), compact([container.registry_secret_arn])) : join(":", slice(split(":", arn), 0, 7))
      ]
    ]))
  }
}
