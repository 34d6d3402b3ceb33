# What the network lets in and out.

# The real provider, which renders the real policies and default tags, but asks AWS nothing.
provider "aws" {
  region                      = "ap-southeast-2"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_requesting_account_id  = true

  default_tags {
    tags = {
      environment = "frankie"
      owner       = "K2"
      contact     = "k2@example.com"
    }
  }
}

variables {
  name  = "k2tog"
  cidr  = "10.20.0.0/16"
  zones = ["ap-southeast-2a", "ap-southeast-2b"]
  traffic = {
    web   = { ports = [80, 8080], allowed_cidrs = ["10.0.0.0/8", "203.0.113.0/24"], egress_ports = [443] }
    inner = { ports = [5432], allowed_cidrs = [], egress_ports = [443, 5432] }
    batch = { ports = [], allowed_cidrs = ["0.0.0.0/0"], egress_ports = [] }
  }
}

run "it_lets_in_only_the_ports_of_each_service_from_where_they_may_be_reached" {
  command = plan

  module {
    source = "./modules/network"
  }

  assert {
    condition = toset([for rule in aws_vpc_security_group_ingress_rule.service : "${rule.ip_protocol} ${rule.from_port}-${rule.to_port} ${rule.cidr_ipv4}"]) == toset([
      "tcp 80-80 10.0.0.0/8", "tcp 80-80 203.0.113.0/24", "tcp 8080-8080 10.0.0.0/8", "tcp 8080-8080 203.0.113.0/24",
    ])
    error_message = "A service's group lets in its ports from allowed_cidrs, and nothing else."
  }

  assert {
    condition     = toset(keys(aws_vpc_security_group_egress_rule.service)) == toset(["web 443", "inner 443", "inner 5432"])
    error_message = "A service's group lets out to its egress_ports, and nothing else."
  }

  assert {
    condition     = toset(keys(aws_security_group.service)) == toset(["batch", "inner", "web"])
    error_message = "Every service has a group of its own."
  }

  assert {
    condition     = { for zone, subnet in aws_subnet.public : zone => subnet.cidr_block } == { ap-southeast-2a = "10.20.0.0/20", ap-southeast-2b = "10.20.16.0/20" }
    error_message = "Each zone has one subnet, a sixteenth of the VPC."
  }

  assert {
    condition     = alltrue([for subnet in aws_subnet.public : !subnet.map_public_ip_on_launch])
    error_message = "Nothing may get a public address by merely being in a subnet."
  }

  assert {
    condition     = aws_route.internet.destination_cidr_block == "0.0.0.0/0" && length(aws_route_table_association.public) == 2
    error_message = "Every subnet has a route to the internet."
  }

  assert {
    condition = alltrue([
      for tags in concat(
        [aws_vpc.this.tags_all, aws_default_security_group.this.tags_all, aws_internet_gateway.this.tags_all, aws_route_table.public.tags_all],
        values(aws_subnet.public)[*].tags_all,
        values(aws_security_group.service)[*].tags_all,
        values(aws_vpc_security_group_ingress_rule.service)[*].tags_all,
        values(aws_vpc_security_group_egress_rule.service)[*].tags_all,
      ) : tags["environment"] == "frankie" && tags["owner"] == "K2" && tags["contact"] == "k2@example.com"
    ])
    error_message = "Every taggable resource of the network must carry the three tags."
  }
}

run "one_more_zone_moves_no_subnet" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    zones = ["ap-southeast-2a", "ap-southeast-2b", "ap-southeast-2c"]
  }

  assert {
    condition = { for zone, subnet in aws_subnet.public : zone => subnet.cidr_block } == {
      ap-southeast-2a = "10.20.0.0/20", ap-southeast-2b = "10.20.16.0/20", ap-southeast-2c = "10.20.32.0/20",
    }
    error_message = "A zone that is appended must not renumber the others."
  }
}
