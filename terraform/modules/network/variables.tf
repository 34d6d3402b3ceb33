variable "name" {
  description = "Name tag of the VPC and the beginning of all other names, 1 to 40 characters."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9-]{0,39}$", var.name))
    error_message = "name must be 1 to 40 letters, digits and hyphens, starting with a letter."
  }

  # Amazon EC2 API Reference, CreateSecurityGroup, parameter GroupName: case-insensitive, and not the beginning of an id.
  validation {
    condition     = !startswith(lower(var.name), "sg-")
    error_message = "name must not start with sg-: the security groups' names begin with it, and AWS takes a name that starts with sg- for a group's id."
  }
}

variable "cidr" {
  description = "IPv4 range of the VPC: private (RFC 1918), /16 to /24, written with its first address."
  type        = string
  nullable    = false

  validation {
    condition     = can(cidrhost(var.cidr, 0)) && !strcontains(var.cidr, ":")
    error_message = "cidr must be an IPv4 range in CIDR notation, such as 10.20.0.0/16."
  }

  validation {
    condition     = try(cidrhost(var.cidr, 0) == split("/", var.cidr)[0], false)
    error_message = "cidr must be written with its first address, such as 10.20.0.0/16 and not 10.20.1.0/16."
  }

  validation {
    condition     = try(contains(range(16, 25), tonumber(split("/", var.cidr)[1])), false)
    error_message = "cidr must be /16 to /24: AWS takes no larger VPC, and a sixteenth of a smaller one is no subnet."
  }

  validation {
    condition     = can(regex("^(10|172\\.(1[6-9]|2[0-9]|3[01])|192\\.168)\\.", var.cidr))
    error_message = "cidr must be private: inside 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16."
  }
}

variable "zones" {
  description = "Availability zones that get a public subnet, at least 2. Append only: the place in the list decides the subnet's range."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.zones) >= 2 && length(var.zones) <= 16 && length(distinct(var.zones)) == length(var.zones)
    error_message = "zones must name 2 to 16 different availability zones, such as [\"ap-southeast-2a\", \"ap-southeast-2b\"]; the region may have fewer than were asked for."
  }
}

variable "traffic" {
  description = "What may reach each service and what its tasks may reach, by the service's name. All of it is TCP."
  type = map(object({
    ports         = list(number)
    allowed_cidrs = list(string)
    egress_ports  = list(number)
  }))
  nullable = false

  validation {
    condition = alltrue([
      for service in var.traffic : alltrue([
        for port in concat(service.ports, service.egress_ports) : port >= 1 && port <= 65535 && floor(port) == port
      ])
    ])
    error_message = "ports and egress_ports must be whole numbers from 1 to 65535."
  }

  validation {
    condition = alltrue([
      for service in var.traffic : alltrue([
        for cidr in service.allowed_cidrs : try(cidrhost(cidr, 0) == split("/", cidr)[0], false) && !strcontains(cidr, ":")
      ])
    ])
    error_message = "allowed_cidrs must be IPv4 ranges in CIDR notation, each written with its first address, such as 203.0.113.0/24."
  }
}
