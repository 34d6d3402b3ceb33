locals {
  account_id = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition

  # In the order of their names, so that a zone that AWS adds at the end renumbers no subnet.
  zones = var.create_fleet ? slice(sort(data.aws_availability_zones.available[0].names), 0, var.zone_count) : []

  traffic = {
    for name, service in var.services : name => {
      ports         = flatten([for container in service.containers : container.ports])
      allowed_cidrs = service.allowed_cidrs
      egress_ports  = service.egress_ports
    }
  }

  # Beginning of the reader's and the mirror's names.
  name = coalesce(var.cluster_name, var.environment)

  # IAM's names are the account's, not the region's, and have at most 64 characters: where a name is longer, its end
  # gives way to eight digits of its hash.
  reader_name = coalesce(var.reader_name, (
    length("ecs-status-reader-${local.name}-${var.region}") <= 64
    ? "ecs-status-reader-${local.name}-${var.region}"
    : format("%.55s-%.8s", "ecs-status-reader-${local.name}-${var.region}", sha1("ecs-status-reader-${local.name}-${var.region}"))
  ))

  regions = distinct(concat([var.region], var.reader_regions))
}
