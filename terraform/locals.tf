locals {
  account_id = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition

  # In the order of their names, so that a zone that AWS adds at the end renumbers no subnet.
  zones = slice(sort(data.aws_availability_zones.available.names), 0, var.zone_count)

  traffic = {
    for name, service in var.services : name => {
      ports         = flatten([for container in service.containers : container.ports])
      allowed_cidrs = service.allowed_cidrs
      egress_ports  = service.egress_ports
    }
  }

  reader_name = coalesce(var.reader_name, "ecs-status-reader-${var.cluster_name}")
}
